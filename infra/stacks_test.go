package infra_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A claim is something that only one resource of an account and region may have, or
// that leads to one: a name, a metric, an export, an ARN, a variable's value.
type claim struct{ kind, value, by string }

// perStack are properties whose names end in Name and that are no names in the account.
var perStack = map[string]bool{"StageName": true}

// shared are variables that are no names of anything.
var shared = map[string]bool{"PENSTOCK_VISIBILITY": true, "PENSTOCK_QUIET": true, "PENSTOCK_ALERT_FROM": true, "PENSTOCK_TOKEN_AUDIENCE": true, "PENSTOCK_TOKEN_EMAILS": true, "PENSTOCK_TOKEN_FORWARDERS": true}

// resourceARN is an ARN of what a stack makes.
var resourceARN = regexp.MustCompile(`arn:aws:(sqs|lambda|dynamodb|secretsmanager|logs|events|scheduler):[^\s\]]+`)

// claims lists what a rendered stack claims.
func claims(tpl template) (all []claim) {
	add := func(kind, value, by string) { all = append(all, claim{kind, value, by}) }
	for _, name := range slices.Sorted(maps.Keys(tpl.resources)) {
		r := tpl.resources[name]
		for property, value := range r.properties {
			if strings.HasSuffix(property, "Name") && !perStack[property] && r.kind != "AWS::CloudWatch::Alarm" || property == "AlarmName" {
				add(r.kind+" "+property, fmt.Sprint(value), name)
			}
		}
		for event, e := range r.properties.object("Events") {
			if rule := e.(object).object("Properties").text("Name"); rule != "" {
				add("rule of an event", rule, name+"."+event)
			}
		}
		for variable, value := range r.properties.object("Environment").object("Variables") {
			if !shared[variable] {
				add("variable "+variable, fmt.Sprint(value), name)
			}
		}
		for _, m := range metrics(r) {
			add("metric", m, name)
		}
		for _, arn := range resourceARN.FindAllString(fmt.Sprint(r.properties), -1) {
			if tpl.resources[name].name != "ScheduleRole" || !strings.Contains(arn, ":secret:redshift-") { // a parameter's, of the account
				add("ARN", arn, name)
			}
		}
	}
	for name, o := range tpl.outputs {
		if export := o.(object).object("Export")["Name"]; export != nil {
			add("export", fmt.Sprint(export), "output "+name)
		}
	}
	return all
}

// metrics are the metrics that an alarm or log filter names, each with its dimensions.
func metrics(r resource) (all []string) {
	watched := []object{r.properties}
	for _, m := range r.properties.list("Metrics") {
		watched = append(watched, m.(object).object("MetricStat").object("Metric"))
	}
	for _, m := range r.properties.list("MetricTransformations") {
		watched = append(watched, object{"Namespace": m.(object)["MetricNamespace"], "MetricName": m.(object)["MetricName"]})
	}
	for _, m := range watched {
		if m["MetricName"] != nil {
			all = append(all, fmt.Sprint(m["Namespace"], " ", m["MetricName"], " ", m["Dimensions"]))
		}
	}
	return all
}

// collisions says what two stacks of one account and region both claim.
func collisions(one, two template) (found []string) {
	for _, a := range claims(one) {
		for _, b := range claims(two) {
			if a.kind == b.kind && a.value == b.value {
				found = append(found, fmt.Sprintf("%s and %s of the other stack are both the %s %s", a.by, b.by, a.kind, a.value))
			}
		}
	}
	return found
}

// Two stacks live in one account, also where one's name begins like the other's.
func TestTwoStacksDoNotCollide(t *testing.T) {
	tpl := readTemplate(t)
	for _, pair := range [][2]string{{"penstock", "penstock-eu"}, {"penstock", "penstock-salesforce"}, {"penstock-salesforce", "penstock-slack"}, {"a", "A"}, {"a", "a-dead"}} {
		for _, s := range []func(string) stack{func(name string) stack { return stack{name: name} }, everything} {
			one, two := render(t, tpl, s(pair[0])), render(t, tpl, s(pair[1]))
			for _, text := range collisions(one, two) {
				t.Errorf("%s and %s: %s", pair[0], pair[1], text)
			}
			if n := len(claims(one)); n < 80 {
				t.Errorf("%d claims: the test finds too little", n)
			}
		}
	}
}

// No two names of a kind end so that some other stack's name could make them equal:
// a-salesforce.fifo and b.fifo would, for b = a-salesforce.
func TestNoTwoStackNamesCanCollide(t *testing.T) {
	const mark = "STACKNAME"
	all := claims(render(t, readTemplate(t), everything(mark)))
	for _, a := range all {
		for _, b := range all {
			beforeA, afterA, _ := strings.Cut(a.value, mark)
			beforeB, afterB, named := strings.Cut(b.value, mark)
			if !named || a.kind != b.kind || beforeA != beforeB || len(afterA) <= len(afterB) || !strings.HasSuffix(afterA, afterB) {
				continue
			}
			if between := strings.TrimSuffix(afterA, afterB); regexp.MustCompile(`^[A-Za-z0-9-]+$`).MatchString(between) {
				t.Errorf("%s %s of stack x is %s of stack x%s, by %s", a.kind, a.value, b.value, between, b.by)
			}
		}
	}
}

// The test above finds what it is for.
func TestCollisionsAreFound(t *testing.T) {
	source := templateText(t)
	for name, c := range map[string]struct{ old, new, says string }{
		"a queue":     {"QueueName: !Sub ${AWS::StackName}-slack.fifo", "QueueName: penstock-slack.fifo", "AWS::SQS::Queue QueueName penstock-slack.fifo"},
		"a function":  {"FunctionName: !Sub ${AWS::StackName}-push", "FunctionName: penstock-push", "FunctionName penstock-push"},
		"a log group": {"LogGroupName: !Sub /penstock/${AWS::StackName}/push", "LogGroupName: /penstock/push", "LogGroupName /penstock/push"},
		"the API":     {"Name: !Ref AWS::StackName", "Name: penstock", "AWS::Serverless::Api Name penstock"},
		"a secret": {`SecretPrefix:
    Type: String
    Default: ""`, `SecretPrefix:
    Type: String
    Default: penstock/`, "AWS::SecretsManager::Secret Name penstock/salesforce_prod"},
		"a table":    {"      BillingMode: PAY_PER_REQUEST", "      TableName: penstock-state\n      BillingMode: PAY_PER_REQUEST", "TableName penstock-state"},
		"a role":     {"      Description: Assumed by Snowflake", "      RoleName: snowflake\n      Description: Assumed by Snowflake", "RoleName snowflake"},
		"a metric":   {"MetricName: StorageFailures\n      Dimensions: [{Name: FunctionName, Value: !Ref SlackFunction}]", "MetricName: StorageFailures\n      Dimensions: [{Name: queue, Value: slack}]", "Penstock StorageFailures"},
		"an alarm":   {"      AlarmDescription: PushFunction", "      AlarmName: penstock-push\n      AlarmDescription: PushFunction", "AlarmName penstock-push"},
		"an export":  {"  ApiUrl:\n", "  ApiUrl:\n    Export: {Name: penstock-api}\n", "export penstock-api"},
		"a rule":     {"            Schedule: rate(1 minute)", "            Name: penstock-tick\n            Schedule: rate(1 minute)", "rule of an event penstock-tick"},
		"an ARN":     {"${AWS::AccountId}:${AWS::StackName}-slack.fifo\"]", "${AWS::AccountId}:penstock-slack.fifo\"]", "ARN arn:aws:sqs:eu-west-1:123456789012:penstock-slack.fifo"},
		"a variable": {"PENSTOCK_STATE_TABLE: !Ref StateTable", "PENSTOCK_STATE_TABLE: state", "variable PENSTOCK_STATE_TABLE state"},
	} {
		if !strings.Contains(source, c.old) {
			t.Errorf("%s: template.yaml no longer has %q", name, c.old)
			continue
		}
		tpl := parseTemplate(t, strings.Replace(source, c.old, c.new, 1))
		found := collisions(render(t, tpl, stack{name: "one"}), render(t, tpl, stack{name: "two"}))
		if !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, c.says) }) {
			t.Errorf("%s: found %q, want %q", name, found, c.says)
		}
	}
}

// keepers are the resources that outlive the stack.
func keepers(tpl template) (all []resource) {
	for _, kind := range []string{"AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"} {
		all = append(all, tpl.of(kind)...)
	}
	return all
}

// A first deployment that fails takes all of its resources with it, or its names
// would be taken when it is repeated; later the tables and secrets stay.
func TestFirstDeploymentCanBeRepeated(t *testing.T) {
	for _, fault := range repeatable(t, readTemplate(t)) {
		t.Error(fault)
	}
	source := templateText(t)
	for name, c := range map[string]struct{ old, new string }{
		"kept after a rollback":          {"DeletionPolicy: RetainExceptOnCreate", "DeletionPolicy: Retain"},
		"gone with the stack":            {"    DeletionPolicy: RetainExceptOnCreate\n", ""},
		"gone when replaced":             {"    UpdateReplacePolicy: Retain\n", ""},
		"protected from the first":       {"DeletionProtectionEnabled: !If [Protected, true, false]", "DeletionProtectionEnabled: true"},
		"never protected":                {"      DeletionProtectionEnabled: !If [Protected, true, false]\n", ""},
		"protected by default":           {"DeletionProtection:\n    Type: String\n    Default: \"off\"", "DeletionProtection:\n    Type: String\n    Default: \"on\""},
		"a queue kept, which has a name": {"    Type: AWS::SQS::Queue\n", "    Type: AWS::SQS::Queue\n    DeletionPolicy: Retain\n"},
	} {
		if !strings.Contains(source, c.old) {
			t.Errorf("%s: template.yaml no longer has %q", name, c.old)
		} else if repeatable(t, parseTemplate(t, strings.Replace(source, c.old, c.new, 1))) == nil {
			t.Errorf("%s: the test does not find it", name)
		}
	}
}

// repeatable lists what keeps a first deployment from being rolled back and repeated,
// or a later one from being safe.
func repeatable(t *testing.T, tpl template) (faults []string) {
	kept := map[string]bool{}
	for _, r := range keepers(tpl) {
		kept[r.name] = true
		if got := r.raw.text("DeletionPolicy"); got != "RetainExceptOnCreate" {
			faults = append(faults, fmt.Sprintf("%s has the DeletionPolicy %q, want RetainExceptOnCreate", r.name, got))
		}
		if got := r.raw.text("UpdateReplacePolicy"); got != "Retain" {
			faults = append(faults, fmt.Sprintf("%s has the UpdateReplacePolicy %q, want Retain", r.name, got))
		}
	}
	for name, r := range tpl.resources {
		if r.raw["DeletionPolicy"] != nil && !kept[name] {
			faults = append(faults, fmt.Sprintf("%s stays when a deployment fails", name))
		}
	}
	first, second := render(t, tpl, stack{name: "penstock"}), render(t, tpl, stack{"penstock", map[string]string{"DeletionProtection": "on"}})
	for _, table := range tpl.of("AWS::DynamoDB::Table") {
		before, after := first.resources[table.name].properties["DeletionProtectionEnabled"], second.resources[table.name].properties["DeletionProtectionEnabled"]
		if before != false || after != true {
			faults = append(faults, fmt.Sprintf("%s is protected: %v in the first deployment, %v with DeletionProtection=on; want false and true", table.name, before, after))
		}
	}
	return faults
}

// limits are the longest names that AWS takes, by what has the name.
var limits = map[string]int{"AWS::Serverless::Function FunctionName": 64, "AWS::SQS::Queue QueueName": 80}

// longestStack is how long a stack's name may be for all names to fit.
const longestStack = 53

func TestNamesFit(t *testing.T) {
	longest := 128 // CloudFormation's own
	for _, c := range claims(render(t, readTemplate(t), everything("S"))) {
		if most := limits[c.kind]; most > 0 {
			longest = min(longest, most-len(c.value)+1)
		}
	}
	if longest != longestStack {
		t.Errorf("the name of a stack may have %d characters, docs/deploy.md says %d", longest, longestStack)
	}
}
