package infra_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// A stack is a deployment of the template: its name, and the parameters that differ
// from their defaults.
type stack struct {
	name       string
	parameters map[string]string
}

// pseudo are the pseudo parameters of every stack here: one account, one region.
var pseudo = map[string]any{
	"AWS::AccountId": "123456789012", "AWS::Region": "eu-west-1", "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
}

// absent is what AWS::NoValue stands for: a property that is left out.
type absent struct{}

// A renderer resolves the template's functions as CloudFormation does.
type renderer struct {
	t   *testing.T
	tpl template
	stack
	inHand []string // conditions and names that are being resolved
}

// render is the template as a stack has it: conditions decided, functions resolved,
// resources without a name under the one that CloudFormation would make.
func render(t *testing.T, tpl template, s stack) template {
	t.Helper()
	for name := range s.parameters {
		if tpl.parameters[name] == nil {
			t.Fatalf("the template has no parameter %s", name)
		}
	}
	r := &renderer{t: t, tpl: tpl, stack: s}
	out := template{parameters: tpl.parameters, resources: map[string]resource{}, outputs: object{}}
	for name, res := range tpl.resources {
		if !r.exists(res.raw) {
			continue
		}
		properties, _ := r.value(res.properties).(object)
		out.resources[name] = resource{name: name, kind: res.kind, raw: res.raw, properties: properties}
	}
	for name, v := range tpl.outputs {
		if o := v.(object); r.exists(o) {
			out.outputs[name] = r.value(o)
		}
	}
	return out
}

// exists decides a resource's or output's Condition.
func (r *renderer) exists(o object) bool {
	name := o.text("Condition")
	return name == "" || r.condition(name)
}

func (r *renderer) condition(name string) bool {
	c := r.tpl.conditions[name]
	if c == nil {
		r.t.Fatalf("the template has no condition %s", name)
	}
	return r.truth(c)
}

func (r *renderer) truth(v any) bool {
	o, _ := v.(object)
	switch {
	case o["Condition"] != nil:
		return r.condition(o.text("Condition"))
	case o["Fn::Equals"] != nil:
		sides := o.list("Fn::Equals")
		return fmt.Sprint(r.value(sides[0])) == fmt.Sprint(r.value(sides[1]))
	case o["Fn::Not"] != nil:
		return !r.truth(o.list("Fn::Not")[0])
	case o["Fn::And"] != nil:
		return !slices.ContainsFunc(o.list("Fn::And"), func(v any) bool { return !r.truth(v) })
	case o["Fn::Or"] != nil:
		return slices.ContainsFunc(o.list("Fn::Or"), r.truth)
	}
	r.t.Fatalf("no condition: %v", v)
	return false
}

// value resolves functions all the way down. What is absent leaves its place.
func (r *renderer) value(v any) any {
	switch v := v.(type) {
	case []any:
		list := []any{}
		for _, e := range v {
			if e = r.value(e); e != (absent{}) {
				list = append(list, e)
			}
		}
		return list
	case object:
		if len(v) == 1 {
			for name, argument := range v {
				if name == "Ref" || strings.HasPrefix(name, "Fn::") {
					return r.call(name, argument)
				}
			}
		}
		o := object{}
		for k, e := range v {
			if e = r.value(e); e != (absent{}) {
				o[k] = e
			}
		}
		return o
	}
	return v
}

func (r *renderer) call(function string, argument any) any {
	switch function {
	case "Ref":
		return r.ref(argument.(string))
	case "Fn::GetAtt":
		return r.attribute(fmt.Sprint(argument))
	case "Fn::If":
		choice := argument.([]any)
		if r.condition(choice[0].(string)) {
			return r.value(choice[1])
		}
		return r.value(choice[2])
	case "Fn::Sub":
		return r.substitute(argument)
	case "Fn::Join":
		parts := argument.([]any)
		list, _ := r.value(parts[1]).([]any)
		return strings.Join(slices.Collect(func(yield func(string) bool) {
			for _, e := range list {
				if !yield(fmt.Sprint(e)) {
					return
				}
			}
		}), parts[0].(string))
	case "Fn::Split":
		parts := argument.([]any)
		var list []any
		for part := range strings.SplitSeq(fmt.Sprint(r.value(parts[1])), parts[0].(string)) {
			list = append(list, part)
		}
		return list
	case "Fn::Select":
		parts := argument.([]any)
		list, _ := r.value(parts[1]).([]any)
		n := parts[0].(int)
		if n >= len(list) {
			r.t.Fatalf("Fn::Select takes part %d of %v", n, list)
		}
		return list[n]
	}
	r.t.Fatalf("the renderer does not know %s", function)
	return nil
}

// substitute resolves ${Name}, ${Name.Attribute} and the names that the second
// argument gives.
func (r *renderer) substitute(argument any) string {
	text, _ := argument.(string)
	given := object{}
	if list, ok := argument.([]any); ok {
		text, given = list[0].(string), list[1].(object)
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		text = after
		switch {
		case given[name] != nil:
			fmt.Fprint(&b, r.value(given[name]))
		case strings.Contains(name, "."):
			b.WriteString(r.attribute(name))
		default:
			fmt.Fprint(&b, r.ref(name))
		}
	}
}

func (r *renderer) ref(name string) any {
	switch {
	case name == "AWS::NoValue":
		return absent{}
	case name == "AWS::StackName":
		return r.name
	case pseudo[name] != nil:
		return pseudo[name]
	case r.tpl.parameters[name] != nil:
		if v, ok := r.parameters[name]; ok {
			return v
		}
		return r.tpl.parameters.object(name)["Default"]
	}
	return r.physical(name)
}

// attribute is an attribute of a resource: a name where it is one, and otherwise
// something that belongs to the resource's name as an ARN does.
func (r *renderer) attribute(path string) string {
	name, attribute, _ := strings.Cut(path, ".")
	if strings.HasSuffix(attribute, "Name") {
		return r.physical(name)
	}
	return strings.ToLower(attribute) + ":" + r.physical(name)
}

// naming says which property names the resources of a type.
var naming = map[string]string{
	"AWS::Serverless::Function": "FunctionName", "AWS::SQS::Queue": "QueueName", "AWS::Logs::LogGroup": "LogGroupName",
	"AWS::SecretsManager::Secret": "Name", "AWS::DynamoDB::Table": "TableName", "AWS::IAM::Role": "RoleName",
}

// physical is the name that a resource has in the account: its own, or the one that
// CloudFormation makes of stack, resource and a random part.
func (r *renderer) physical(name string) string {
	res, ok := r.tpl.resources[name]
	if !ok {
		r.t.Fatalf("the template has no resource or parameter %s", name)
	}
	if property := res.properties[naming[res.kind]]; property != nil {
		if slices.Contains(r.inHand, name) {
			r.t.Fatalf("%s is named after itself: %v", name, r.inHand)
		}
		r.inHand = append(r.inHand, name)
		defer func() { r.inHand = r.inHand[:len(r.inHand)-1] }()
		return fmt.Sprint(r.value(property))
	}
	return r.name + "-" + name + "-RANDOM"
}

// everything is a stack with all that a parameter can switch on.
func everything(name string) stack {
	p := map[string]string{
		"ApiLogs": "on", "DeletionProtection": "on", "KmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/1a2b",
		"PermissionsBoundary": "arn:aws:iam::123456789012:policy/bound", "AlarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:alarms",
		"SnowflakeUserArn": "arn:aws:iam::210987654321:user/snow", "SnowflakeExternalId": "ID=1",
		"WarehouseArn": "arn:aws:redshift:eu-west-1:123456789012:cluster:analytics", "WarehouseSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:redshift-AbCdEf",
		"WebhookSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:" + name + "/webhook-AbCdEf",
	}
	for _, kind := range kinds() {
		p[upper(kind)+"Connections"] = kind + "_a," + kind + "_b," + kind + "_c," + kind + "_d," + kind + "_e"
	}
	return stack{name, p}
}

// Rendering leaves no function behind, and decides conditions.
func TestRender(t *testing.T) {
	tpl := readTemplate(t)
	plain, all := render(t, tpl, stack{name: "one"}), render(t, tpl, everything("two"))
	for _, got := range []template{plain, all} {
		for _, name := range slices.Sorted(maps.Keys(got.resources)) {
			if text := strings.ReplaceAll(fmt.Sprint(got.resources[name].properties), "${aws:userid}", "IAM's"); strings.Contains(text, "Fn::") || strings.Contains(text, "Ref:") || strings.Contains(text, "${") {
				t.Errorf("%s is not resolved: %s", name, text)
			}
		}
	}
	if got := plain.resources["SalesforceSecret"].properties.text("Name"); got != "one/salesforce_prod" {
		t.Errorf("the secret of the first stack is %q", got)
	}
	if plain.resources["SalesforceSecret2"].kind != "" || all.resources["SalesforceSecret5"].properties.text("Name") != "two/salesforce_e" {
		t.Errorf("secrets of further connections: %v, %v", plain.resources["SalesforceSecret2"], all.resources["SalesforceSecret5"].properties)
	}
	if got := render(t, tpl, stack{"one", map[string]string{"SecretPrefix": "team/"}}).resources["SlackSecret"].properties.text("Name"); got != "team/slack_prod" {
		t.Errorf("with a prefix the secret is %q", got)
	}
}
