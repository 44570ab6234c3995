package infra_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/env"
)

// What penstock apply --stack reads of the outputs is of this stack alone: its group,
// its function, the role that may call that function and nothing else, and a queue.
func TestSchedulesOfSyncs(t *testing.T) {
	for _, s := range []stack{{name: "one"}, everything("two")} {
		tpl := render(t, readTemplate(t), s)
		if got := tpl.resources["ScheduleGroup"].properties.text("Name"); got != s.name {
			t.Errorf("the group is %q, want the stack's name", got)
		}
		queue := tpl.resources["ScheduleDeadLetters"].properties
		if queue["FifoQueue"] != nil || queue.text("QueueName") != s.name+"-schedule-dead" { // Scheduler takes no FIFO queue
			t.Errorf("dead letters: %v", queue)
		}
		role := tpl.resources["ScheduleCallerRole"]
		trust := role.properties.object("AssumeRolePolicyDocument").list("Statement")
		if len(trust) != 1 {
			t.Fatalf("%d statements of trust", len(trust))
		}
		who := trust[0].(object)
		condition := who.object("Condition").object("StringEquals")
		if who.object("Principal").text("Service") != "scheduler.amazonaws.com" || condition.text("aws:SourceAccount") == "" || !strings.Contains(condition.text("aws:SourceArn"), s.name) {
			t.Errorf("the caller trusts %v", who)
		}
		granted := rights(t, role)
		for on, actions := range granted {
			if slices.ContainsFunc(actions, func(a string) bool {
				return !slices.Contains([]string{"lambda:InvokeFunction", "sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"}, a)
			}) {
				t.Errorf("the caller may %v on %s", actions, on)
			}
		}
		if len(granted) != 2+len(s.parameters["KmsKeyArn"])/max(1, len(s.parameters["KmsKeyArn"])) {
			t.Errorf("the caller may call more than one function: %v", granted)
		}
	}
	for _, output := range []string{"ScheduleGroup", "ScheduleFunctionArn", "ScheduleRoleArn", "ScheduleDeadLettersArn", "StateTable"} {
		if readTemplate(t).outputs[output] == nil {
			t.Errorf("there is no output %s", output)
		}
	}
}

// The schedule function may start statements in the one workgroup or cluster that a
// parameter names, and in none without it.
func TestScheduleFunctionReachesOneWarehouse(t *testing.T) {
	const workgroup, cluster = "arn:aws:redshift-serverless:eu-west-1:123456789012:workgroup/1a2b", "arn:aws:redshift:eu-west-1:123456789012:cluster:analytics"
	for arn, want := range map[string]map[string][]string{
		"":        {},
		workgroup: {"*": {"redshift-data:DescribeStatement", "redshift-data:GetStatementResult"}, workgroup: {"redshift-data:ExecuteStatement", "redshift-serverless:GetCredentials"}},
		cluster: {"*": {"redshift-data:DescribeStatement", "redshift-data:GetStatementResult"}, cluster: {"redshift-data:ExecuteStatement"},
			"dbname:analytics/*": {"redshift:GetClusterCredentials", "redshift:GetClusterCredentialsWithIAM"}, "dbuser:analytics/*": {"redshift:GetClusterCredentials", "redshift:GetClusterCredentialsWithIAM"}},
	} {
		tpl := render(t, readTemplate(t), stack{"one", map[string]string{"WarehouseArn": arn}})
		got := map[string][]string{}
		for on, actions := range rights(t, tpl.resources["ScheduleRole"]) {
			for _, a := range actions {
				if strings.HasPrefix(a, "redshift") {
					if i := strings.Index(on, ":db"); i >= 0 {
						on = on[i+1:]
					}
					got[on] = append(got[on], a)
				}
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("with WarehouseArn %q (-want +got):\n%s", arn, d)
		}
		owner := ""
		for _, policy := range tpl.resources["ScheduleRole"].properties.list("Policies") {
			for _, statement := range policy.(object).object("PolicyDocument").list("Statement") {
				if o, is := statement.(object); is && slices.Contains(words(o.list("Action")), "redshift-data:DescribeStatement") {
					owner = fmt.Sprint(o.object("Condition").object("StringEquals")["redshift-data:statement-owner-iam-userid"])
				}
			}
		}
		if arn != "" && owner != "${aws:userid}" {
			t.Errorf("statements of %q may be read", owner)
		}
	}
}

// A call that a function began is in nobody's hands once its time is over: the lease of
// shared/app/schedule is longer, and what Lambda repeats comes after it or before.
func TestScheduleFunctionEndsBeforeItsLease(t *testing.T) {
	f := readTemplate(t).resources["ScheduleFunction"].properties
	if got := f.number("Timeout"); got > 60 || got < 45 { // two calls of a warehouse may take 20 s each
		t.Errorf("it may run for %d s; the lease is two minutes", got)
	}
	if !slices.Contains(env.Functions["schedule"], env.SecretPrefix) {
		t.Error("it reads no secret")
	}
}
