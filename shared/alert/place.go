package alert

import "strings"

// OfStack is the notice with its commands as they act on the stack of that name in AWS, where
// only the warehouse begins a run: there it is the statement. "" is this machine, and
// changes nothing.
func (n Notice) OfStack(stack string) Notice {
	if stack != "" {
		n.Look, n.Mend = at(n.Look, stack), at(n.Mend, stack)
	}
	return n
}

// InWarehouse leads a statement that is quoted among commands.
const InWarehouse = "in the warehouse  "

// at is commands that follow one another, each for the stack.
func at(commands, stack string) string {
	if commands == "" {
		return ""
	}
	all := strings.Split(commands, " && ")
	for i, command := range all {
		sync, runs := strings.CutPrefix(command, "penstock run ")
		switch {
		case runs:
			all[i] = InWarehouse + "CALL penstock_run('" + sync + "')"
		case command == "penstock validate --connection": // of the files, which are no stack's
		default:
			all[i] = command + " --stack " + stack
		}
	}
	return strings.Join(all, " , then ")
}
