package sweep

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/penstock-data/penstock/shared/app/awsenv"
	"github.com/penstock-data/penstock/shared/app/env"
	"github.com/penstock-data/penstock/shared/app/stores"
	"github.com/penstock-data/penstock/shared/app/tell"
	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/aws/mail"
	"github.com/penstock-data/penstock/shared/aws/secrets"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// FromEnvironment is the sweep function on AWS. posters are the vendors through whose
// connections alerts may be posted.
func FromEnvironment(posters ...dest.Vendor) (*Handler, error) {
	s, in, vars, err := stores.FromEnvironment("sweep")
	if err != nil {
		return nil, err
	}
	p := run.DefaultPolicy()
	if p.Quiet, err = quietTime(vars[env.Quiet], p.GiveUp); err != nil {
		return nil, err
	}
	cfg, err := awsenv.Load(os.LookupEnv)
	if err != nil {
		return nil, err
	}
	table := state.New(cfg, state.Config{Table: vars[env.StateTable], Now: time.Now})
	return &Handler{
		Function: os.Getenv(env.FunctionName), Log: slog.New(slog.NewJSONHandler(os.Stdout, nil)),
		Sweep: &runs.Sweep{Stores: s, Replayer: in, Remover: in, Alerts: table, Teller: teller(cfg, vars, table, posters), Quotas: table, Stack: vars[env.Stack], Policy: p, Now: time.Now},
	}, nil
}

// NoSender is what the variable of the sender holds where a stack has none.
const NoSender = "none"

// teller sends alerts through SES and the connections of these vendors.
func teller(cfg aws.Config, vars map[string]string, table *state.Store, posters []dest.Vendor) *tell.Teller {
	t := &tell.Teller{NoMail: "deploy the stack with AlertFrom, an address that Amazon SES has verified", Connections: table, Tokens: table, Now: time.Now, Sleep: worker.Sleep}
	if from := vars[env.AlertFrom]; from != NoSender {
		t.Mail = mail.New(cfg, from)
	}
	store := secrets.New(cfg, secrets.Config{Prefix: vars[env.SecretPrefix]})
	t.Secret, t.Loopback = store.Secret, awsenv.OneMachine(os.LookupEnv)
	t.Open = func(c syncdef.Connection) (dest.Account, error) {
		for _, v := range posters {
			if v.Name == c.Type {
				return worker.Open(v, dest.Config{Now: time.Now, Loopback: awsenv.OneMachine(os.LookupEnv)}, func(ctx context.Context, _ syncdef.Connection, name string) (map[string]string, error) {
					return store.Secret(ctx, name)
				})(c)
			}
		}
		return nil, fmt.Errorf("this stack posts no alerts through connections of type %s", c.Type)
	}
	return t
}

// quietTime reads how long an implicit run is silent before it is closed. It
// must end before a run is given up for having been quiet.
func quietTime(text string, giveUp time.Duration) (time.Duration, error) {
	quiet, err := time.ParseDuration(text)
	if err != nil || quiet < time.Second || quiet >= giveUp {
		return 0, fmt.Errorf("%s is %q: want a duration of at least 1s and less than %s, such as 2m", env.Quiet, text, giveUp)
	}
	return quiet, nil
}
