package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help says how the script is used.
func (completionCmd) Help() string {
	return `The script is read when the shell starts:

  bash   penstock completion bash > ~/.local/share/bash-completion/completions/penstock
  zsh    penstock completion zsh > "${fpath[1]}/_penstock"
  fish   penstock completion fish > ~/.config/fish/completions/penstock.fish`
}

// Run prints the script. It holds the commands and flags of this version, and needs no
// penstock to complete them.
func (c completionCmd) Run(s program) error {
	parser, err := s.parser()
	if err != nil {
		return err
	}
	commands := completed(parser.Model)
	switch c.Shell {
	case "bash":
		bashCompletion(s.out, commands)
	case "zsh":
		zshCompletion(s.out, commands)
	case "fish":
		fishCompletion(s.out, commands)
	}
	return nil
}

// A completedCommand is a command as a shell completes it.
type completedCommand struct {
	name, help string
	flags      []*kong.Flag
	values     []string // of its first argument
}

// completed are the commands that people see.
func completed(app *kong.Application) (out []completedCommand) {
	for _, n := range app.Children {
		if n.Hidden {
			continue
		}
		c := completedCommand{name: n.Name, help: n.Help}
		for _, group := range n.AllFlags(true) {
			c.flags = append(c.flags, group...)
		}
		if len(n.Positional) > 0 {
			c.values = values(n.Positional[0])
		}
		c.below(n)
		if n.Name == "help" {
			for _, other := range app.Children {
				if !other.Hidden {
					c.values = append(c.values, other.Name)
				}
			}
		}
		out = append(out, c)
	}
	return out
}

// below adds the commands below a command, and their flags.
func (c *completedCommand) below(n *kong.Node) {
	for _, child := range n.Children {
		if child.Hidden || child.Type != kong.CommandNode {
			continue
		}
		c.values = append(c.values, child.Name)
		for _, f := range child.Flags {
			if !slices.ContainsFunc(c.flags, func(has *kong.Flag) bool { return has.Name == f.Name }) {
				c.flags = append(c.flags, f)
			}
		}
	}
}

// values are the only ones that a flag or an argument takes, where it has such.
func values(v *kong.Value) []string {
	if v.Enum == "" {
		return nil
	}
	return v.EnumSlice()
}

// takesFile reports whether a flag's value is a file or a folder.
func takesFile(f *kong.Flag) bool {
	name := f.PlaceHolder
	return strings.HasPrefix(name, "FILE") || strings.HasPrefix(name, "DIR") || strings.Contains(name, "=FILE") || f.Name == "data" || f.Name == "syncs"
}

// bashCompletion prints a script for bash: words that fit, and files elsewhere.
func bashCompletion(w io.Writer, all []completedCommand) {
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.name
	}
	fmt.Fprintf(w, `# bash completion for penstock
_penstock() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "%s --help" -- "$word"))
    return
  fi
  case "$command $before" in
`, strings.Join(names, " "))
	for _, c := range all {
		for _, f := range c.flags {
			if v := values(f.Value); v != nil {
				fmt.Fprintf(w, "  '%s --%s') COMPREPLY=($(compgen -W \"%s\" -- \"$word\")); return ;;\n", c.name, f.Name, strings.Join(v, " "))
			} else if !f.IsBool() {
				fmt.Fprintf(w, "  '%s --%s') return ;;\n", c.name, f.Name)
			}
		}
	}
	fmt.Fprint(w, "  esac\n  case $command in\n")
	for _, c := range all {
		flags := make([]string, len(c.flags))
		for i, f := range c.flags {
			flags[i] = "--" + f.Name
		}
		fmt.Fprintf(w, "  %s) [[ $word == -* ]] && COMPREPLY=($(compgen -W \"%s\" -- \"$word\"))", c.name, strings.Join(flags, " "))
		if c.values != nil {
			fmt.Fprintf(w, " || COMPREPLY=($(compgen -W \"%s\" -- \"$word\"))", strings.Join(c.values, " "))
		}
		fmt.Fprint(w, " ;;\n")
	}
	fmt.Fprint(w, "  esac\n}\ncomplete -o default -F _penstock penstock\n")
}

// zshCompletion prints a function for zsh.
func zshCompletion(w io.Writer, all []completedCommand) {
	fmt.Fprint(w, "#compdef penstock\n# zsh completion for penstock\n_penstock() {\n  local -a commands\n  commands=(\n")
	for _, c := range all {
		fmt.Fprintf(w, "    %s\n", shellWord(c.name+":"+c.help))
	}
	fmt.Fprint(w, "  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in\n")
	for _, c := range all {
		fmt.Fprintf(w, "  %s) _arguments", c.name)
		for _, f := range c.flags {
			spec := "--" + f.Name + "[" + zshText(f.Help) + "]"
			switch v := values(f.Value); {
			case v != nil:
				spec += ":value:(" + strings.Join(v, " ") + ")"
			case !f.IsBool() && takesFile(f):
				spec += ":file:_files"
			case !f.IsBool():
				spec += ":value:"
			}
			fmt.Fprintf(w, " \\\n      %s", shellWord(spec))
		}
		rest := "*:file:_files"
		if c.values != nil {
			rest = "1:value:(" + strings.Join(c.values, " ") + ")"
		}
		fmt.Fprintf(w, " \\\n      %s ;;\n", shellWord(rest))
	}
	fmt.Fprint(w, "  esac\n}\n_penstock \"$@\"\n")
}

// zshText is a help text where brackets and colons mean something.
func zshText(s string) string {
	return strings.NewReplacer("[", "(", "]", ")", ":", ",", "'", "").Replace(s)
}

// fishCompletion prints lines for fish.
func fishCompletion(w io.Writer, all []completedCommand) {
	fmt.Fprint(w, "# fish completion for penstock\ncomplete -c penstock -n __fish_use_subcommand -f\n")
	for _, c := range all {
		fmt.Fprintf(w, "complete -c penstock -n __fish_use_subcommand -a %s -d %s\n", c.name, shellWord(c.help))
		on := fmt.Sprintf("complete -c penstock -n '__fish_seen_subcommand_from %s'", c.name)
		for _, f := range c.flags {
			line := on + " -l " + f.Name
			switch v := values(f.Value); {
			case v != nil:
				line += " -x -a " + shellWord(strings.Join(v, " "))
			case !f.IsBool() && takesFile(f):
				line += " -r"
			case !f.IsBool():
				line += " -x"
			}
			fmt.Fprintln(w, line+" -d "+shellWord(f.Help))
		}
		if c.values != nil {
			fmt.Fprintf(w, "%s -f -a %s\n", on, shellWord(strings.Join(c.values, " ")))
		}
	}
}
