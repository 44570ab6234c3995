package infra_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/control"
	"github.com/penstock-data/penstock/shared/app/env"
)

func TestGateway(t *testing.T) {
	tpl := readTemplate(t)
	apis := tpl.of("AWS::Serverless::Api")
	if len(apis) != 1 {
		t.Fatalf("%d APIs, want one", len(apis))
	}
	p := apis[0].properties
	auth := p.object("Auth")
	if got := auth.text("DefaultAuthorizer"); got != "AWS_IAM" {
		t.Errorf("DefaultAuthorizer is %q, want AWS_IAM", got)
	}
	if got := auth.text("InvokeRole"); got != "NONE" {
		t.Errorf("InvokeRole is %q; functions would be called with the caller's credentials", got)
	}
	if got := p.object("EndpointConfiguration").text("Type"); got != "REGIONAL" {
		t.Errorf("the endpoint is %q, Snowflake needs REGIONAL", got)
	}
	for _, s := range p.list("MethodSettings") {
		if s.(object)["DataTraceEnabled"] != false {
			t.Error("DataTraceEnabled would log bodies, which are rows (I6)")
		}
	}

	methods := map[string][]string{} // by path
	var routes []string
	for _, f := range functions(t, tpl) {
		for _, e := range events(f, "Api") {
			if e["Auth"] != nil {
				t.Errorf("%s: %s has an authorisation of its own", f.name, e.text("Path"))
			}
			if got := f.properties.number("Timeout"); got >= 29 {
				t.Errorf("%s: may take %d s, the gateway waits 29", f.name, got)
			}
			methods[e.text("Path")] = append(methods[e.text("Path")], e.text("Method"))
			routes = append(routes, fmt.Sprintf("execute-api:/%s/%s%s", p.text("StageName"), e.text("Method"), e.text("Path")))
		}
	}
	want := append(control.Paths(), "/push")
	slices.Sort(want)
	if d := cmp.Diff(want, slices.Sorted(maps.Keys(methods))); d != "" {
		t.Errorf("paths (-want +got):\n%s", d)
	}
	for path, m := range methods {
		slices.Sort(m)
		if !slices.Equal(m, []string{"GET", "POST"}) {
			t.Errorf("%s takes %v; Snowflake posts, and polls by GET", path, m)
		}
	}

	statements := auth.object("ResourcePolicy").list("CustomStatements")
	if len(statements) != 1 {
		t.Fatalf("%d statements in the resource policy, want one", len(statements))
	}
	s := statements[0].(object)
	principal := "arn:${AWS::Partition}:sts::${AWS::AccountId}:assumed-role/${SnowflakeRole}/snowflake"
	if got := s.object("Principal").object("AWS").text("Fn::Sub"); got != principal || s.text("Effect") != "Allow" || s.text("Action") != "execute-api:Invoke" {
		t.Errorf("the resource policy %ss %v to %q, want Allow, execute-api:Invoke, %q", s.text("Effect"), s["Action"], got, principal)
	}
	slices.Sort(routes)
	if d := cmp.Diff(routes, words(s.list("Resource"))); d != "" {
		t.Errorf("routes (-) and what the resource policy allows (+):\n%s", d)
	}
}

// withoutResource lists AWS actions that take no resource, for which "*" is the
// only Resource there is. None is used; one that is must be named here.
var withoutResource = []string{}

func TestEveryFunctionHasItsOwnNarrowRole(t *testing.T) {
	tpl := readTemplate(t)
	used := map[string]string{}
	for name, f := range functions(t, tpl) {
		role := tpl.resources[target(f.properties["Role"])]
		if role.kind != "AWS::IAM::Role" {
			t.Errorf("%s has no role; SAM would attach a broad one", f.name)
			continue
		}
		if other := used[role.name]; other != "" {
			t.Errorf("%s and %s share %s", f.name, other, role.name)
		}
		used[role.name] = f.name
		if f.properties["Policies"] != nil || role.properties["ManagedPolicyArns"] != nil {
			t.Errorf("%s: rights stand in %s and nowhere else", f.name, role.name)
		}
		trust := role.properties.object("AssumeRolePolicyDocument").list("Statement")
		if len(trust) != 1 || trust[0].(object).object("Principal").text("Service") != "lambda.amazonaws.com" {
			t.Errorf("%s trusts somebody else than Lambda: %v", role.name, trust)
		}
		granted := rights(t, role)
		for _, table := range []string{env.StateTable, env.LedgerTable, env.ErrorsTable} {
			if uses := slices.Contains(reads(name), table); uses != (granted[sources[table]] != nil) {
				t.Errorf("%s: reads %s: %t, but %s grants %v on it", f.name, table, uses, role.name, granted[sources[table]])
			}
		}
		if secrets := slices.Contains(reads(name), env.SecretPrefix); secrets != slices.Contains(allActions(granted), "secretsmanager:GetSecretValue") {
			t.Errorf("%s: reads secrets: %t, and %s does not agree", f.name, secrets, role.name)
		}
		if sends := slices.Contains(env.AllQueues, name); sends != slices.Contains(allActions(granted), "sqs:SendMessage") {
			t.Errorf("%s: sends to the queues: %t, and %s does not agree", f.name, sends, role.name)
		}
		for _, kind := range kinds() {
			if queue := queueOf(kind); slices.Contains(env.AllQueues, name) && !cmp.Equal(granted[queue], []string{"sqs:GetQueueAttributes", "sqs:SendMessage"}) {
				t.Errorf("%s grants %v on %s, want what sending takes and no more", role.name, granted[queue], queue)
			}
		}
		for _, e := range events(f, "SQS") {
			queue := target(e["Queue"])
			for _, action := range []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} {
				if !slices.Contains(granted[queue], action) {
					t.Errorf("%s lacks %s on %s, without which Lambda cannot take messages", role.name, action, queue)
				}
			}
		}
		logs := target(f.properties.object("LoggingConfig")["LogGroup"])
		if want := []string{"logs:CreateLogStream", "logs:PutLogEvents"}; !slices.Equal(granted[logs], want) {
			t.Errorf("%s grants %v on %s, want %v", role.name, granted[logs], logs, want)
		}
	}
}

// rights lists a role's actions by the resource that they are granted on, and
// fails on wildcards.
func rights(t *testing.T, role resource) map[string][]string {
	t.Helper()
	granted := map[string][]string{}
	for _, policy := range role.properties.list("Policies") {
		for _, v := range policy.(object).object("PolicyDocument").list("Statement") {
			s := v.(object)
			if s["NotAction"] != nil || s["NotResource"] != nil {
				t.Errorf("%s: a right by exclusion is wider than it looks", role.name)
			}
			actions := words(s.list("Action"))
			for _, a := range actions {
				if service, verb, ok := strings.Cut(a, ":"); !ok || service == "" || verb == "" || strings.Contains(a, "*") {
					t.Errorf("%s: %q is no exact action", role.name, a)
				}
			}
			for _, r := range s.list("Resource") {
				if text := fmt.Sprint(r); strings.Contains(text, "*") && !slices.ContainsFunc(actions, func(a string) bool { return slices.Contains(withoutResource, a) }) {
					t.Errorf("%s: %v on %v, where AWS takes an exact ARN", role.name, actions, r)
				}
				granted[target(r)] = append(granted[target(r)], actions...)
			}
		}
	}
	return granted
}

func allActions(granted map[string][]string) []string {
	var all []string
	for _, actions := range granted {
		all = append(all, actions...)
	}
	return all
}

func TestSecretsHoldNoValue(t *testing.T) {
	tpl := readTemplate(t)
	secrets := tpl.of("AWS::SecretsManager::Secret")
	if len(secrets) == 0 {
		t.Error("no secret")
	}
	for _, s := range secrets {
		if s.properties["SecretString"] != nil || s.properties["GenerateSecretString"] != nil {
			t.Errorf("%s: a secret's value is set by hand, never by a template", s.name)
		}
		if name := s.properties.object("Name").text("Fn::Sub"); !strings.HasPrefix(name, "${SecretPrefix}") {
			t.Errorf("%s: %q does not begin with the prefix that workers read", s.name, name)
		}
	}
}

func TestSnowflakeRoleTrustsOnlyWithAnExternalID(t *testing.T) {
	role := readTemplate(t).resources["SnowflakeRole"]
	if role.properties["Policies"] != nil || role.properties["ManagedPolicyArns"] != nil {
		t.Error("SnowflakeRole may do more than call the gateway")
	}
	trust := role.properties.object("AssumeRolePolicyDocument").list("Statement")
	if len(trust) != 1 {
		t.Fatalf("%d statements of trust, want one", len(trust))
	}
	choice := trust[0].(object).list("Fn::If")
	if len(choice) != 3 || choice[0] != "SnowflakeKnown" {
		t.Fatalf("trust is %v, want a choice by SnowflakeKnown", trust[0])
	}
	known, unknown := choice[1].(object), choice[2].(object)
	if target(known.object("Principal")["AWS"]) != "SnowflakeUserArn" ||
		target(known.object("Condition").object("StringEquals")["sts:ExternalId"]) != "SnowflakeExternalId" {
		t.Errorf("after the handshake the role trusts %v, want Snowflake's user with its external id", known)
	}
	if unknown.text("Effect") != "Deny" {
		t.Errorf("before the handshake the role trusts %v, want nobody", unknown)
	}
}

// adapters says which resources the calls in a package of shared/aws go to, and
// what the call is called in a policy.
var adapters = []struct {
	folder, service string
	resources       []string
}{
	{"state", "dynamodb", []string{"StateTable"}},
	{"ledger", "dynamodb", []string{"LedgerTable"}},
	{"errors", "dynamodb", []string{"ErrorsTable"}},
	{"queue", "sqs", []string{"SalesforceQueue", "SlackQueue", "SalesforceDeadLetters", "SlackDeadLetters"}},
	{"secrets", "secretsmanager", []string{"SalesforceSecret", "SlackSecret"}},
}

// The SDK's calls by name; a write of a transaction is a literal, and needs the
// right of the single write.
var (
	sdkCall = regexp.MustCompile(`\.((?:Batch)?(?:Get|Put|Update|Delete|Write)Item|Query|Scan|Transact(?:Get|Write)Items|` +
		`(?:Send|Receive|Delete)Message(?:Batch)?|ChangeMessageVisibility(?:Batch)?|GetQueue(?:Attributes|Url)|PurgeQueue|` +
		`[A-Z][a-z]+SecretValue|(?:Create|Describe|Delete|Update)Table|GetAll)\(g?ctx, `)
	inTx = regexp.MustCompile(`types\.TransactWriteItem\{+(Put|Update|Delete|ConditionCheck): `)
)

func TestRolesGrantWhatTheAdaptersCall(t *testing.T) {
	tpl := readTemplate(t)
	granted := map[string]map[string]bool{} // by resource, the actions of all roles
	for _, f := range functions(t, tpl) {
		for name, actions := range rights(t, tpl.resources[target(f.properties["Role"])]) {
			if granted[name] == nil {
				granted[name] = map[string]bool{}
			}
			for _, a := range actions {
				granted[name][a] = true
			}
		}
	}
	for _, a := range adapters {
		got := map[string]bool{}
		for _, name := range a.resources {
			maps.Copy(got, granted[name])
		}
		want := slices.Sorted(maps.Keys(calls(t, a.folder, a.service)))
		if d := cmp.Diff(want, slices.Sorted(maps.Keys(got))); d != "" {
			t.Errorf("what shared/aws/%s calls (-) and all roles together grant on %v (+):\n%s", a.folder, a.resources, d)
		}
	}
}

// calls lists the actions that an adapter's source needs.
func calls(t *testing.T, folder, service string) map[string]bool {
	t.Helper()
	sources, err := filepath.Glob("../shared/aws/" + folder + "/*.go")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no source in shared/aws/%s: %v", folder, err)
	}
	found := map[string]bool{}
	for _, path := range sources {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, m := range sdkCall.FindAllStringSubmatch(string(source), -1) {
			switch call := m[1]; call {
			case "TransactWriteItems": // granted by its parts, below
			case "GetAll": // attr's
				found["dynamodb:BatchGetItem"] = true
			case "SendMessageBatch":
				found["sqs:SendMessage"] = true
			default:
				found[service+":"+call] = true
			}
		}
		for _, m := range inTx.FindAllStringSubmatch(string(source), -1) {
			found[service+":"+m[1]+"Item"] = true
		}
	}
	return found
}
