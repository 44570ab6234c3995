package cli

import (
	"github.com/alecthomas/kong"
)

type helpCmd struct {
	Command string `arg:"" optional:"" help:"The command."`
}

// Run prints the help of a command, or of all.
func (c helpCmd) Run(s program) error {
	parser, err := s.parser(kong.Writers(s.out, s.err), kong.Exit(func(int) {}))
	if err != nil {
		return err
	}
	args := []string{"--help"}
	if c.Command != "" {
		if !there(parser, c.Command) {
			return usage("there is no command %q: penstock help lists the commands", c.Command)
		}
		args = []string{c.Command, "--help"}
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

func there(parser *kong.Kong, name string) bool {
	for _, n := range parser.Model.Children {
		if n.Name == name && !n.Hidden {
			return true
		}
	}
	return false
}
