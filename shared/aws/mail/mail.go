// Package mail sends email through Amazon SES (API v2, SendEmail). SES has no
// idempotency key: a call whose answer is lost may be sent twice.
package mail

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"
)

// MaxRecipients is how many addresses one call may have (Amazon SES Developer Guide,
// "Service quotas").
const MaxRecipients = 50

// A Mailer sends from one verified address.
type Mailer struct {
	api  *sesv2.Client
	from string
}

// New makes a mailer. from is an address that SES has verified.
func New(cfg aws.Config, from string) *Mailer {
	return &Mailer{api: sesv2.NewFromConfig(cfg), from: from}
}

// Send sends one message to all addresses.
func (m *Mailer) Send(ctx context.Context, to []string, subject, text string) error {
	for len(to) > 0 {
		some := to[:min(len(to), MaxRecipients)]
		to = to[len(some):]
		utf8 := aws.String("UTF-8")
		_, err := m.api.SendEmail(ctx, &sesv2.SendEmailInput{
			FromEmailAddress: aws.String(m.from),
			Destination:      &types.Destination{ToAddresses: some},
			Content: &types.EmailContent{Simple: &types.Message{
				Subject: &types.Content{Data: aws.String(subject), Charset: utf8},
				Body:    &types.Body{Text: &types.Content{Data: aws.String(text), Charset: utf8}},
			}},
		})
		if err != nil {
			return plain(err)
		}
	}
	return nil
}

// plain says what SES answered and what to do. SES may quote addresses in its
// message, so only its code is passed on.
func plain(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return fmt.Errorf("Amazon SES was not reached: %w", err)
	}
	code := api.ErrorCode()
	if remedy := remedies[code]; remedy != "" {
		return fmt.Errorf("Amazon SES answered %s: %s", code, remedy)
	}
	return fmt.Errorf("Amazon SES answered %s", code)
}

var remedies = map[string]string{
	"MailFromDomainNotVerifiedException": "verify the sender's domain in SES",
	"MessageRejected":                    "verify the sender, and in the sandbox each recipient, in SES",
	"AccountSuspendedException":          "the account may not send; see the SES console",
	"SendingPausedException":             "sending is paused for the account; see the SES console",
	"TooManyRequestsException":           "its sending rate is used up; it is tried again",
	"LimitExceededException":             "its sending quota is used up; ask for a greater one",
	"AccessDeniedException":              "whoever called may not send: the stack's role may once it is deployed with AlertFrom, and your own credentials with ses:SendEmail",
	"NotFoundException":                  "a configuration set or identity is missing",
}
