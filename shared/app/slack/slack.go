// Package slack wires the worker that delivers to Slack on AWS: the tables, the
// queue whose messages it hides, the secrets, and Slack as the one destination.
package slack

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/app/env"
	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/aws/queue"
	"github.com/penstock-data/penstock/shared/aws/secrets"
	"github.com/penstock-data/penstock/shared/dest/slack"
	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/syncdef"
)

const name = "slack" // of the function, the queue and the connection type

// FromEnvironment is the slack function.
func FromEnvironment() (*worker.Handler, error) {
	h, vars, cfg, err := worker.FromEnvironment(name)
	if err != nil {
		return nil, err
	}
	h.Deliver.Visibility = queue.New(cfg, queue.Config{URLs: map[string]string{name: vars[env.QueueSlack]}})
	h.Deliver.Open = Open(secrets.New(cfg, secrets.Config{Prefix: vars[env.SecretPrefix]}).Secret)
	return h, nil
}

// Open makes Slack of a version, and refuses connections of another type. The
// secret is read by its name, or the connection's, when a call first needs it.
func Open(read func(ctx context.Context, name string) (map[string]string, error)) func(context.Context, syncdef.Version) (pipeline.Destination, error) {
	return func(_ context.Context, v syncdef.Version) (pipeline.Destination, error) {
		conn := v.Connection
		if conn.Type != name {
			return nil, fmt.Errorf("connection %q has type %q, and this worker delivers to %s only: its queue got a message that is not its own", conn.Name, conn.Type, name)
		}
		if conn.Secret == "" {
			conn.Secret = conn.Name
		}
		secret := func(ctx context.Context) (map[string]string, error) { return read(ctx, conn.Secret) }
		return slack.New(slack.Config{Connection: conn, Definition: v.Definition, Secret: secret, Now: time.Now}), nil
	}
}
