package yamlfile

import "github.com/penstock-data/penstock/shared/syncdef"

// verify reads what is compared with the destination every day.
func (p *parser) verify(o *object) *syncdef.Verify {
	n := o.get("verify")
	if n == nil {
		return nil
	}
	in := p.object(n, "verify", "verify", o.key("verify").Keys)
	if in == nil {
		return nil
	}
	v := &syncdef.Verify{Sample: in.whole("sample"), MissingOver: in.share("missing_over"), ChangedOver: in.share("changed_over")}
	in.close()
	return v
}
