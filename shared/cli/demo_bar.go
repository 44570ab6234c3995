package cli

// bar starts a bar for a run; off a terminal it shows nothing.
func (d *demo) bar(p pushedSync) *bar {
	if d.cmd.JSON {
		return &bar{}
	}
	return newBar(d.s.out, p.heading())
}
