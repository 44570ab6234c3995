package infra_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/control"
	"github.com/penstock-data/penstock/shared/wire"
)

// tokenRoutes are the addresses for callers with tokens, by function, as the template
// has them.
func tokenRoutes(t *testing.T, tpl template) map[string][]object {
	t.Helper()
	routes := map[string][]object{}
	for name, f := range functions(t, tpl) {
		for _, e := range events(f, "Api") {
			if strings.HasPrefix(e.text("Path"), "/token/") {
				routes[name] = append(routes[name], e)
			}
		}
	}
	return routes
}

// Every function of SQL is reached with a token too, by POST alone, and through the
// authorizer alone.
func TestTokenRoutes(t *testing.T) {
	tpl := readTemplate(t)
	routes := tokenRoutes(t, tpl)
	want := map[string]string{"push": "/token/push", "control": "/token/{function}"}
	if d := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(routes))); d != "" {
		t.Fatalf("functions with token routes (-want +got):\n%s", d)
	}
	for name, path := range want {
		if len(routes[name]) != 1 || routes[name][0].text("Path") != path || routes[name][0].text("Method") != "POST" || routes[name][0].object("Auth").text("Authorizer") != "GoogleToken" {
			t.Errorf("%s: %v, want POST %s by GoogleToken", name, routes[name], path)
		}
	}
	for _, f := range wire.Functions() { // {function} is any of them but push
		if path := "/" + strings.TrimPrefix(f, "penstock_"); f != wire.Push && !slices.Contains(control.Paths(), path) {
			t.Errorf("%s is none of control's functions: it needs a token route of its own", f)
		}
	}
	authorizers := tpl.of("AWS::Serverless::Api")[0].properties.object("Auth").object("Authorizers")
	if len(authorizers) != 1 {
		t.Fatalf("%d authorizers, want one", len(authorizers))
	}
	a := authorizers.object("GoogleToken")
	if target(a["FunctionArn"]) != "AuthorizerFunction" || a.text("FunctionPayloadType") != "TOKEN" || a.object("Identity").text("Header") != "Authorization" {
		t.Errorf("the authorizer is %v", a)
	}
	// An answer that is kept outlives its token by so much, which is the tokens' skew.
	if ttl := a.object("Identity").number("ReauthorizeEvery"); ttl < 0 || ttl > 60 {
		t.Errorf("an answer is kept for %d s", ttl)
	}
	shape := regexp.MustCompile(a.object("Identity").text("ValidationExpression"))
	for token, want := range map[string]bool{"Bearer a.b.c": true, "Bearer eyJh-_.eyJh.Qm9-_": true, "a.b.c": false, "Bearer a.b": false, "Bearer a.b.c, Bearer d.e.f": false, "Basic a.b.c": false, "Bearer a.b.c ": false, "": false} {
		if shape.MatchString(token) != want {
			t.Errorf("the token %q is let through to the authorizer: %v", token, !want)
		}
	}
}

// Without the parameters nothing is open and the authorizer takes no token; with them
// the resource policy opens what the authorizer guards, and nothing else.
func TestTokenParameters(t *testing.T) {
	given := map[string]string{"TokenAudience": "https://a.example/v1", "TokenEmails": "a@b.example,c@d.example"}
	believed := maps.Clone(given)
	believed["TokenForwarders"] = "a@b.example"
	for _, c := range []struct {
		parameters map[string]string
		open       bool
		variables  []string // audience, emails, forwarders
	}{
		{nil, false, []string{"none", "none", "none"}},
		{given, true, []string{"https://a.example/v1", "a@b.example,c@d.example", "none"}},
		{believed, true, []string{"https://a.example/v1", "a@b.example,c@d.example", "a@b.example"}},
	} {
		tpl := render(t, readTemplate(t), stack{name: "penstock", parameters: c.parameters})
		statements := tpl.of("AWS::Serverless::Api")[0].properties.object("Auth").object("ResourcePolicy").list("CustomStatements")
		var everybody []any
		for _, s := range statements {
			if s.(object)["Principal"] == "*" {
				everybody = append(everybody, s.(object)["Resource"])
			}
		}
		if open := len(everybody) == 1 && cmp.Equal(everybody[0], []any{"execute-api:/v1/POST/token/*"}); open != c.open || len(everybody) > 1 {
			t.Errorf("with %v everybody is let in at %v", c.parameters, everybody)
		}
		v := functions(t, tpl)["authorizer"].properties.object("Environment").object("Variables")
		if got := []string{v.text("PENSTOCK_TOKEN_AUDIENCE"), v.text("PENSTOCK_TOKEN_EMAILS"), v.text("PENSTOCK_TOKEN_FORWARDERS")}; !slices.Equal(got, c.variables) {
			t.Errorf("with %v the authorizer gets %q", c.parameters, got)
		}
	}
	tpl := readTemplate(t)
	for name, texts := range map[string]map[string]bool{
		"TokenEmails":     {"": true, "a@b.example": true, "a@b.example,c@d.example": true, "a@b.example, c@d.example": false, "*": false, "@b": false},
		"TokenForwarders": {"": true, "a@b.example": true, "a": false},
		"TokenAudience":   {"": true, "https://a1.execute-api.eu-west-1.amazonaws.com/v1": true, "https://a.example,https://b.example": false, "short": false},
	} {
		allowed := regexp.MustCompile(tpl.parameters.object(name).text("AllowedPattern"))
		for text, want := range texts {
			if allowed.MatchString(text) != want {
				t.Errorf("%s takes %q: %v", name, text, !want)
			}
		}
	}
}

// tools names the folder of the programs that parse SQL and transform templates.
const tools = "PENSTOCK_SQL_TOOLS"

// transformed is the template as CloudFormation gets it: methods by path, each with the
// names of its security, and what each name is.
func transformed(t *testing.T) (methods map[string]string, schemes map[string]map[string]any) {
	t.Helper()
	bin, set := os.LookupEnv(tools)
	if !set {
		t.Skipf("%s is not set: bash .ci/run python template", tools)
	}
	cmd := exec.CommandContext(t.Context(), bin+"/python", "transform", "TokenAudience=https://a.example/v1", "TokenEmails=a@b.example")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var tpl struct {
		Resources map[string]struct {
			Type       string
			Properties struct {
				Body struct {
					Paths map[string]map[string]struct {
						Security []map[string]any
					}
					Components struct {
						SecuritySchemes map[string]map[string]any
					}
				}
			}
		}
	}
	if err := json.Unmarshal(out, &tpl); err != nil {
		t.Fatal(err)
	}
	methods = map[string]string{}
	for _, r := range tpl.Resources {
		if r.Type != "AWS::ApiGateway::RestApi" {
			continue
		}
		schemes = r.Properties.Body.Components.SecuritySchemes
		for path, of := range r.Properties.Body.Paths {
			for method, m := range of {
				var names []string
				for _, s := range m.Security {
					names = append(names, slices.Sorted(maps.Keys(s))...)
				}
				methods[method+" "+path] = strings.Join(names, ",")
			}
		}
	}
	return methods, schemes
}

// Each method has the one authorizer that it should have: none is open.
func TestTransformedMethodsHaveTheirAuthorizer(t *testing.T) {
	methods, schemes := transformed(t)
	want := map[string]string{"post /token/push": "GoogleToken", "post /token/{function}": "GoogleToken"}
	for _, path := range append(control.Paths(), "/push") {
		want["post "+path], want["get "+path] = "AWS_IAM", "AWS_IAM"
	}
	if d := cmp.Diff(want, methods); d != "" {
		t.Errorf("methods and their security (-want +got):\n%s", d)
	}
	if got := schemes["AWS_IAM"]["x-amazon-apigateway-authtype"]; got != "awsSigv4" {
		t.Errorf("AWS_IAM is %v", schemes["AWS_IAM"])
	}
	authorizer, _ := schemes["GoogleToken"]["x-amazon-apigateway-authorizer"].(map[string]any)
	uri, err := json.Marshal(authorizer["authorizerUri"])
	if err != nil || schemes["GoogleToken"]["x-amazon-apigateway-authtype"] != "custom" || authorizer["type"] != "token" || !strings.Contains(string(uri), "AuthorizerFunction") {
		t.Errorf("GoogleToken is %v (%v)", schemes["GoogleToken"], err)
	}
}
