package slack

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// What an app gets that is distributed commercially outside of Slack's marketplace (Slack
// documentation, "Rate limit changes for non-Marketplace apps", 29 May 2025): a call of
// conversations.history a minute, of 15 messages. Internal apps keep 50 calls of 999.
const (
	distributedPage = 15
	distributedWait = 30 * time.Second // a 429 that names at least this is of such a limit
)

// Diagnose implements dest.Diagnoser: which kind of app the token is of, which no method
// tells, and which two calls of conversations.history show.
func (a *account) Diagnose(ctx context.Context, _ []syncdef.Definition) ([]dest.Diagnosis, error) {
	all, _, err := a.conversations(ctx)
	if err != nil {
		return nil, err
	}
	d := dest.Diagnosis{Name: "kind of app", Detail: "not known: the bot is in no channel whose history shows it"}
	for i := range all {
		if !all[i].IsMember || all[i].IsArchived {
			continue
		}
		kind, err := a.kindBy(ctx, all[i].ID)
		var refused *refusedError
		switch {
		case errors.As(err, &refused): // this channel shows nothing, such as a private one without its scope
			continue
		case err != nil:
			return nil, a.call(ctx, "read the history of a channel", err)
		}
		return []dest.Diagnosis{kind}, nil
	}
	return []dest.Diagnosis{d}, nil
}

// kindBy tells the kind of app by a channel's history, asked for twice.
func (a *account) kindBy(ctx context.Context, channel string) (dest.Diagnosis, error) {
	restricted := dest.Diagnosis{
		Name:   "kind of app",
		Detail: fmt.Sprintf("distributed, outside of Slack's marketplace: it may look up one page of %d messages a minute, so that messages whose answer was lost wait for minutes", distributedPage),
		Remedy: "make an internal app in your own workspace (api.slack.com/apps, From scratch, no public distribution), and put its token into the secret",
	}
	for range 2 {
		messages, next, err := a.client.history(ctx, channel, time.Time{}, "")
		if err != nil {
			if limited, ok := errors.AsType[*dest.CallError](a.call(ctx, "", err)); ok && limited.Class == dest.Throttled && limited.After >= distributedWait {
				return restricted, nil
			}
			return dest.Diagnosis{}, err
		}
		if len(messages) == distributedPage && next != "" {
			return restricted, nil
		}
		if len(messages) > distributedPage {
			break
		}
	}
	return dest.Diagnosis{Name: "kind of app", Detail: "internal, or of Slack's marketplace: histories are read at the full rate"}, nil
}

var _ dest.Diagnoser = (*account)(nil)
