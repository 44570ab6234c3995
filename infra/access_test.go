package infra_test

import (
	"fmt"
	"maps"
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
			if strings.HasPrefix(e.text("Path"), "/token/") {
				continue // TestTokenRoutes
			}
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
	if len(statements) != 2 {
		t.Fatalf("%d statements in the resource policy, want Snowflake's and that of tokens", len(statements))
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
//
// ses:SendEmail is on whichever identity covers the sender, the address or its domain;
// a condition names the address.
//
// Redshift's statements are told apart by who started them, which a condition names; a
// login is to any user and database of the one cluster.
var withoutResource = []string{"ses:SendEmail", "redshift-data:DescribeStatement", "redshift-data:GetStatementResult",
	"redshift:GetClusterCredentials", "redshift:GetClusterCredentialsWithIAM"}

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
		if sends := slices.Contains(env.AllQueues, name) || name == "schedule"; sends != slices.Contains(allActions(granted), "sqs:SendMessage") {
			t.Errorf("%s: sends to the queues: %t, and %s does not agree", f.name, sends, role.name)
		}
		for _, kind := range kinds() {
			if queue, first := queueOf(kind), queueOf(kinds()[0]); slices.Contains(env.AllQueues, name) && !slices.Equal(granted[queue], granted[first]) {
				t.Errorf("%s grants %v on %s, and %v on %s", role.name, granted[queue], queue, granted[first], first)
			}
		}
		for _, e := range events(f, "SQS") {
			queue := target(e["Queue"])
			for _, action := range polled {
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
		for _, v := range alternatives(policy.(object).object("PolicyDocument").list("Statement")...) {
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
			for _, r := range alternatives(s.list("Resource")...) {
				if text := fmt.Sprint(r); strings.Contains(text, "*") && !slices.ContainsFunc(actions, func(a string) bool { return slices.Contains(withoutResource, a) }) {
					t.Errorf("%s: %v on %v, where AWS takes an exact ARN", role.name, actions, r)
				}
				name := target(r)
				if arn, rendered := r.(string); rendered {
					name = arn
				}
				granted[name] = append(granted[name], actions...)
			}
		}
	}
	return granted
}

// alternatives are values with each Fn::If replaced by what either branch gives.
func alternatives(values ...any) (all []any) {
	for _, v := range values {
		o, _ := v.(object)
		switch {
		case o["Fn::If"] != nil:
			all = append(all, alternatives(o.list("Fn::If")[1:]...)...)
		case target(v) != "AWS::NoValue":
			all = append(all, v)
		}
	}
	return all
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
	}
}

// A worker may read the secrets of its own connections, and nobody else's.
func TestWorkersReadExactlyTheirSecrets(t *testing.T) {
	for _, s := range []stack{{name: "penstock"}, everything("penstock"), {"penstock", map[string]string{"SlackConnections": "one,two,three"}}} {
		tpl := render(t, readTemplate(t), s)
		secrets := map[string][]string{} // by destination type
		for _, secret := range tpl.of("AWS::SecretsManager::Secret") {
			for _, kind := range kinds() {
				if strings.HasPrefix(secret.name, upper(kind)+"Secret") {
					secrets[kind] = append(secrets[kind], secret.properties.text("Name"))
				}
			}
		}
		for name, f := range functions(t, tpl) {
			var read []string
			for _, policy := range tpl.resources[roleOf(t, f)].properties.list("Policies") {
				for _, statement := range policy.(object).object("PolicyDocument").list("Statement") {
					if s := statement.(object); slices.Contains(words(s.list("Action")), "secretsmanager:GetSecretValue") {
						read = append(read, words(s.list("Resource"))...)
					}
				}
			}
			slices.Sort(read)
			own := secrets[name]
			switch name {
			case "sweep": // posts alerts
				own = slices.Clone(secrets["slack"])
				if arn := s.parameters["WebhookSecretArn"]; arn != "" {
					own = append(own, arn)
				}
			case "schedule": // logs in to the warehouse
				own = []string{s.name + "/warehouse"}
				if arn := s.parameters["WarehouseSecretArn"]; arn != "" {
					own = append(own, arn)
				}
			}
			if d := cmp.Diff(slices.Sorted(slices.Values(own)), read); d != "" {
				t.Errorf("%s of %v reads other secrets (+) than its connections' (-):\n%s", f.name, s.parameters, d)
			}
		}
		for _, kind := range kinds() {
			connections := strings.Split(fmt.Sprint((&renderer{t: t, tpl: tpl, stack: s}).ref(upper(kind)+"Connections")), ",")
			want := make([]string, len(connections))
			for i, c := range connections {
				want[i] = s.name + "/" + c
			}
			if d := cmp.Diff(want, secrets[kind]); d != "" {
				t.Errorf("secrets of %s (-want +got):\n%s", kind, d)
			}
		}
	}
}

// roleOf is the resource of a rendered function's role, which it names by its ARN.
func roleOf(t *testing.T, f resource) string {
	t.Helper()
	_, name, ok := strings.Cut(f.properties.text("Role"), "-")
	if !ok {
		t.Fatalf("%s has the role %v", f.name, f.properties["Role"])
	}
	return strings.TrimSuffix(name, "-RANDOM")
}

// Every role is bounded by the policy of whoever asks for one.
func TestRolesTakeTheBoundary(t *testing.T) {
	for _, s := range []stack{{name: "penstock"}, everything("penstock")} {
		for _, role := range render(t, readTemplate(t), s).of("AWS::IAM::Role") {
			if got := role.properties.text("PermissionsBoundary"); got != s.parameters["PermissionsBoundary"] {
				t.Errorf("%s has the boundary %q, want %q", role.name, got, s.parameters["PermissionsBoundary"])
			}
		}
	}
}

// A key of one's own is used for all that holds rows or secrets, and every function
// may use it, through the services that do; without one AWS's keys are.
func TestKeyOfOnesOwn(t *testing.T) {
	s := everything("penstock")
	key := s.parameters["KmsKeyArn"]
	with, without := render(t, readTemplate(t), s), render(t, readTemplate(t), stack{name: "penstock"})
	for kind, of := range map[string]func(object) any{
		"AWS::DynamoDB::Table":        func(p object) any { return p.object("SSESpecification")["KMSMasterKeyId"] },
		"AWS::SQS::Queue":             func(p object) any { return p["KmsMasterKeyId"] },
		"AWS::SecretsManager::Secret": func(p object) any { return p["KmsKeyId"] },
	} {
		for _, r := range with.of(kind) {
			if got := of(r.properties); got != key {
				t.Errorf("%s is encrypted by %v, want %s", r.name, got, key)
			}
			if r.properties["SqsManagedSseEnabled"] != nil {
				t.Errorf("%s has both SSE-KMS and SSE-SQS: AWS refuses that", r.name)
			}
		}
		for _, r := range without.of(kind) {
			if got := of(r.properties); got != nil {
				t.Errorf("%s is encrypted by %v without KmsKeyArn", r.name, got)
			}
		}
	}
	for name, f := range functions(t, with) {
		if name == "authorizer" {
			continue // it has nothing that is encrypted
		}
		if got := rights(t, with.resources[roleOf(t, f)])[key]; !slices.Contains(got, "kms:Decrypt") || !slices.Contains(got, "kms:GenerateDataKey") {
			t.Errorf("%s may %v with the key", name, got)
		}
		if got := allActions(rights(t, without.resources[roleOf(t, f)])); slices.ContainsFunc(got, func(a string) bool { return strings.HasPrefix(a, "kms:") }) {
			t.Errorf("%s may use a key that nobody named: %v", name, got)
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
	{"queue", "sqs", []string{"SalesforceQueue", "SlackQueue", "HubspotQueue", "AmplitudeQueue", "IntercomQueue", "SalesforceDeadLetters", "SlackDeadLetters", "HubspotDeadLetters", "AmplitudeDeadLetters", "IntercomDeadLetters"}},
	{"secrets", "secretsmanager", append(secretsOf("Salesforce", "Slack", "Hubspot", "Amplitude", "Intercom"), "WarehouseSecret", "WarehouseSecretArn", "WebhookSecretArn")},
	{"mail", "ses", []string{""}}, // an identity, which is no resource of the stack
}

// secretsOf are the resources of all secrets of destination types.
func secretsOf(types ...string) (all []string) {
	for _, name := range types {
		for _, n := range []string{"", "2", "3", "4", "5"} {
			all = append(all, name+"Secret"+n)
		}
	}
	return all
}

// never names the actions that stand in what a function reaches, and that it does not
// call for what its wiring sets.
var never = map[string]map[string][]string{
	// Nothing tells it to count freshness or to verify. A dead letter is neither marked nor
	// hidden: it has no call to a destination behind it.
	"deadletter": {"state": {"dynamodb:UpdateItem"}, "ledger": {"dynamodb:Query"}, "queue": {"sqs:ChangeMessageVisibility"}},
}

// polled is what Lambda itself does with the queue of a function, in its role.
var polled = []string{"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}

// Each role grants what its own function may call, and no more: a right that another
// role has hides none that is missing. No function forgets.
func TestRolesGrantWhatTheAdaptersCall(t *testing.T) {
	tpl, p := readTemplate(t), loadProgram(t)
	for name, f := range functions(t, tpl) {
		reached := p.reach(name)
		for o := range reached {
			if o.Pkg() != nil && strings.HasPrefix(o.Pkg().Path(), module+"shared/aws/") && p.files[o] == persons {
				t.Errorf("%s comes to %s, which a person alone may do", f.name, o.Name())
			}
		}
		granted := rights(t, tpl.resources[target(f.properties["Role"])])
		for _, a := range adapters {
			want := p.calls(reached, a.folder, a.service)
			for _, action := range never[name][a.folder] {
				if !slices.Contains(want, action) {
					t.Errorf("%s: shared/aws/%s does not even come to %s", f.name, a.folder, action)
				}
				want = slices.DeleteFunc(want, func(w string) bool { return w == action })
			}
			if a.service == "sqs" && len(events(f, "SQS")) > 0 {
				want = append(want, polled...)
			}
			got := []string{}
			for _, r := range a.resources {
				got = append(got, slices.DeleteFunc(slices.Clone(granted[r]), func(action string) bool { return !strings.HasPrefix(action, a.service+":") })...)
			}
			slices.Sort(want)
			slices.Sort(got)
			if d := cmp.Diff(slices.Compact(want), slices.Compact(got)); d != "" {
				t.Errorf("%s: what shared/aws/%s calls for it (-) and its role grants on %v (+):\n%s", f.name, a.folder, a.resources, d)
			}
		}
	}
}

// persons is the file, of any adapter, of what a person alone does, with credentials of
// their own (penstock forget): no function may delete an entry or an error.
const persons = "forget.go"

// Redshift's role trusts users that somebody named, by the external id that Redshift
// gives them, and invokes one function.
func TestRedshiftRoleInvokesOneFunction(t *testing.T) {
	tpl := readTemplate(t)
	role := tpl.resources["RedshiftRole"]
	granted := rights(t, role)
	if d := cmp.Diff(map[string][]string{"RedshiftFunction": {"lambda:InvokeFunction"}}, granted); d != "" || role.properties["ManagedPolicyArns"] != nil {
		t.Errorf("RedshiftRole may do something else than invoke its function: %s", d)
	}
	trust := role.properties.object("AssumeRolePolicyDocument").list("Statement")
	if len(trust) != 1 || len(trust[0].(object).list("Fn::If")) != 3 || trust[0].(object).list("Fn::If")[0] != "RedshiftKnown" {
		t.Fatalf("trust is %v, want one choice by RedshiftKnown", trust)
	}
	known, unknown := trust[0].(object).list("Fn::If")[1].(object), trust[0].(object).list("Fn::If")[2].(object)
	if d := cmp.Diff([]string{"redshift-serverless.amazonaws.com", "redshift.amazonaws.com"}, words(known.object("Principal").list("Service"))); d != "" {
		t.Errorf("trusted: %s", d)
	}
	if target(known.object("Condition").object("StringLike")["sts:ExternalId"]) != "RedshiftUsers" || len(known.object("Condition")) != 1 {
		t.Errorf("the trust is in every cluster of every account: %v", known)
	}
	if unknown.text("Effect") != "Deny" {
		t.Errorf("without users the role trusts %v, want nobody", unknown)
	}
	f := tpl.resources["RedshiftFunction"]
	if f.properties["Events"] != nil || f.properties["FunctionUrlConfig"] != nil {
		t.Error("RedshiftFunction can be called by somebody else than the role")
	}
	for _, p := range tpl.of("AWS::Lambda::Permission") {
		if target(p.properties["FunctionName"]) == f.name {
			t.Errorf("%s lets somebody else call RedshiftFunction", p.name)
		}
	}
}
