package apptest

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// Prefix is what the names of the secrets begin with.
const Prefix = "penstock/"

// A Service is a destination type and what stands in for its vendor.
type Service struct {
	Vendor dest.Vendor
	Server http.Handler
	Secret map[string]string // of all connections of the type
}

// secretsOf are the JSON texts of the connections' secrets, by their whole names.
func secretsOf(t testing.TB, services []Service, set yamlfile.Set) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, s := range services {
		b, err := json.Marshal(s.Secret)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range set.Connections {
			if c.Type == s.Vendor.Name {
				all[Prefix+c.Secret] = string(b)
			}
		}
	}
	return all
}

// Connections are a set's, those of the types in urls at these addresses.
func Connections(set yamlfile.Set, urls map[string]string) []syncdef.Connection {
	var out []syncdef.Connection
	for _, c := range set.Connections {
		if url := urls[c.Type]; url != "" {
			c.URL = url
		}
		out = append(out, c)
	}
	return out
}

// Versions are a set's syncs as penstock apply stores them.
func Versions(set yamlfile.Set) []syncdef.Version {
	var out []syncdef.Version
	for _, s := range set.Syncs {
		out = append(out, syncdef.NewVersion(s.Definition, s.Rules, Start))
	}
	return out
}

// SecretsManager answers GetSecretValue as AWS does (AWS documentation, "Secrets
// Manager API reference"): the values by name, and ResourceNotFoundException.
func SecretsManager(values map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		reply := func(status int, v map[string]string) {
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(v) // the client went away
		}
		var in struct {
			ID string `json:"SecretId"`
		}
		if target := r.Header.Get("X-Amz-Target"); target != "secretsmanager.GetSecretValue" {
			reply(http.StatusBadRequest, map[string]string{"__type": "UnknownOperationException"})
			return
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.ID == "" {
			reply(http.StatusBadRequest, map[string]string{"__type": "InvalidParameterException"})
			return
		}
		value, ok := values[in.ID]
		if !ok {
			reply(http.StatusBadRequest, map[string]string{"__type": "ResourceNotFoundException", "Message": "Secrets Manager can't find the specified secret."})
			return
		}
		reply(http.StatusOK, map[string]string{
			"ARN":  "arn:aws:secretsmanager:us-east-1:000000000000:secret:" + in.ID + "-AbCdEf",
			"Name": in.ID, "SecretString": value, "VersionId": "00000000-0000-0000-0000-000000000001",
		})
	})
}
