package cli

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type helpCmd struct {
	Command []string `arg:"" optional:"" help:"The command, with the one below it where there is one."`
}

// Run prints the help of a command, or of all.
func (c helpCmd) Run(s program) error {
	parser, err := s.parser(kong.Writers(s.out, s.err), kong.Exit(func(int) {}))
	if err != nil {
		return err
	}
	args := []string{"--help"}
	if len(c.Command) > 0 {
		if !there(parser.Model.Node, c.Command) {
			return usage("there is no command %q: penstock help lists the commands", strings.Join(c.Command, " "))
		}
		args = append(slices.Clone(c.Command), "--help")
	}
	_, _ = parser.Parse(args) // it prints the help, and then misses arguments
	return nil
}

// parser is one of its own over the whole command line.
func (s program) parser(more ...kong.Option) (*kong.Kong, error) {
	var all cli
	all.Local.offer(s.known, 0)
	all.Sandbox.offer(s.known, 8788)
	return newParser(&all, more...)
}

// there reports whether these names are those of a command below another.
func there(below *kong.Node, names []string) bool {
	if len(names) == 0 {
		return true
	}
	for _, n := range below.Children {
		if n.Name == names[0] && !n.Hidden {
			return there(n, names[1:])
		}
	}
	return false
}
