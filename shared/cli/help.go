package cli

import (
	"fmt"

	"github.com/alecthomas/kong"
)

type helpCmd struct {
	Command []string `arg:"" optional:"" help:"The command."`
}

// Run prints the help of a command, or of all.
func (c helpCmd) Run(s program) error {
	var all cli
	all.Local.offer(s.known, 0)
	all.Sandbox.offer(s.known, 8788)
	parser, err := newParser(&all, kong.Writers(s.out, s.err), kong.Exit(func(int) {}))
	if err != nil {
		return err
	}
	_, err = parser.Parse(append(c.Command, "--help"))
	if err != nil && len(c.Command) > 0 && !known(parser, c.Command[0]) {
		return usage("there is no command %q: penstock --help lists the commands", c.Command[0])
	}
	return nil // kong says that arguments are missing, after it printed the help
}

func known(parser *kong.Kong, name string) bool {
	for _, n := range parser.Model.Children {
		if n.Name == name {
			return true
		}
	}
	return false
}

var _ = fmt.Sprint
