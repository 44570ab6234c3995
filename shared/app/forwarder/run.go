package forwarder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/netguard"
)

// The variables of the Cloud Run service.
const (
	APIURL       = "PENSTOCK_API_URL"        // the stack's output ApiUrl
	Audience     = "PENSTOCK_TOKEN_AUDIENCE" // the stack's parameter TokenAudience; the API's URL when it is not set
	Port         = "PORT"                    // set by Cloud Run
	metadataHost = "GCE_METADATA_HOST"       // as Google's own libraries read it
)

// New is the forwarder as its environment says.
func New(lookup func(string) (string, bool), log io.Writer) (*Handler, error) {
	get := func(name string) string { v, _ := lookup(name); return v }
	api := strings.TrimSuffix(get(APIURL), "/")
	u, err := url.Parse(api)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%s must be the stack's ApiUrl, https://ID.execute-api.REGION.amazonaws.com/v1", APIURL)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Handler{
		API: api,
		Tokens: &Tokens{
			Host: cmp.Or(get(metadataHost), MetadataHost), Audience: cmp.Or(get(Audience), api), Now: time.Now,
			Client: &http.Client{Transport: &http.Transport{}, CheckRedirect: stay},
		},
		Client: &http.Client{Transport: netguard.Transport(false), CheckRedirect: stay, Timeout: 35 * time.Second},
		Log:    slog.New(slog.NewJSONHandler(log, nil)), Now: time.Now,
	}, nil
}

// Run serves until the context ends, and then for as long as Cloud Run grants.
func Run(ctx context.Context, lookup func(string) (string, bool), log io.Writer) error {
	h, err := New(lookup, log)
	if err != nil {
		return err
	}
	port, _ := lookup(Port)
	server := &http.Server{Addr: net.JoinHostPort("", cmp.Or(port, "8080")), Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute}
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 9*time.Second) // Cloud Run kills after 10
		defer cancel()
		ended <- server.Shutdown(stop)
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}
