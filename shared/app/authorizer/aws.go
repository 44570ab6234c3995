package authorizer

import (
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/app/env"
	"github.com/penstock-data/penstock/shared/idtoken"
)

// None is what a variable holds where a stack has no such parameter: then no token is
// taken, or no forwarder believed.
const None = "none"

// FromEnvironment is the authorizer on AWS.
func FromEnvironment() (*Handler, error) {
	vars, err := env.Load("authorizer", env.Functions["authorizer"], os.LookupEnv)
	if err != nil {
		return nil, err
	}
	return &Handler{Function: os.Getenv(env.FunctionName),
		Policy: idtoken.Policy{
			Audience: strings.TrimPrefix(vars[env.TokenAudience], None), Emails: list(vars[env.TokenEmails]), Skew: Skew,
		},
		Forwarders: list(vars[env.TokenForwarders]),
		Keys:       &KeySet{URL: KeysURL, Client: &http.Client{CheckRedirect: noRedirects}, Now: time.Now},
		Now:        time.Now,
		Log:        slog.New(slog.NewJSONHandler(os.Stdout, nil)),
	}, nil
}

// list are the parts of a variable between commas.
func list(variable string) []string {
	if variable == None {
		return nil
	}
	return strings.Split(variable, ",")
}
