// Package estimate says what a push would cost before it is made: calls of the vendor,
// the part of its quota, time, and AWS. It knows a destination type by its Effort alone,
// assumes full calls, and takes what AWS charges from package cost. Pure.
package estimate

import (
	"math"
	"strconv"
	"time"

	"github.com/penstock-data/penstock/shared/cost"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Work is rows by what becomes of them; fractions are parts of what rows share.
type Work struct {
	Rows     float64 // that are pushed
	Created  float64
	Updated  float64
	Removed  float64
	Rejected float64
	Lookups  float64 // of the created and updated, those whose record's id is not known
	Finds    float64 // of the removed, likewise
	Extra    float64 // calls by Effort.Extra
	// Messages are the calls of destination types that digest (Effort.Digest), in the
	// place of those for the created.
	Messages float64
}

// Add adds another work.
func (w *Work) Add(o Work) {
	w.Rows += o.Rows
	w.Created += o.Created
	w.Updated += o.Updated
	w.Removed += o.Removed
	w.Rejected += o.Rejected
	w.Lookups += o.Lookups
	w.Finds += o.Finds
	w.Extra += o.Extra
	w.Messages += o.Messages
}

// An Estimate is what work costs. Without an Effort only AWS is known.
type Estimate struct {
	Calls float64 `json:"calls"`
	// QuotaShare is Calls as a part of the account's calls in 24 hours, GrantShare of
	// those that the connection grants; nil where the vendor counts no days.
	QuotaShare *float64 `json:"quota_share,omitempty"`
	GrantShare *float64 `json:"grant_share,omitempty"`
	Seconds    float64  `json:"seconds"`     // at the connection's rate, with nothing else under way
	Dollars    float64  `json:"aws_dollars"` // what AWS charges, without the fixed part of a month
}

// Of estimates the whole of a push. Calls are whole ones.
func Of(v *syncdef.Version, c *syncdef.Connection, w Work) Estimate {
	e := effort(v)
	calls := e.calls(w, math.Ceil)
	out := e.estimate(v, c, w, calls)
	wait := time.Duration(0)
	for _, l := range e.windows(c) {
		wait = max(wait, l.Lasts(calls))
	}
	if _, granted := e.PerDay(c); granted > 0 {
		wait = max(wait, pace.Window{Calls: granted, Per: 24 * time.Hour}.Lasts(calls))
	}
	out.Seconds = round(max(e.busy(v, calls), wait.Seconds()))
	return out
}

// Part estimates the part that some rows have in a push: estimates of all its rows, added
// up, are about that of the whole.
func Part(v *syncdef.Version, c *syncdef.Connection, w Work) Estimate {
	e := effort(v)
	calls := e.calls(w, func(n float64) float64 { return n })
	out := e.estimate(v, c, w, calls)
	seconds := e.busy(v, calls)
	for _, l := range e.windows(c) {
		seconds = max(seconds, calls*l.Per.Seconds()/float64(l.Calls))
	}
	out.Seconds = round(seconds)
	return out
}

// known is an Effort, or what stands for one that is not told.
type known struct{ *syncdef.Effort }

func effort(v *syncdef.Version) known {
	if v.Rules.Effort == nil {
		return known{&syncdef.Effort{}}
	}
	return known{v.Rules.Effort}
}

// calls counts the calls of the work: full ones, made whole by whole.
func (e known) calls(w Work, whole func(float64) float64) float64 {
	if e.Write == 0 {
		return 0
	}
	per := func(n float64, most int) float64 {
		if most == 0 {
			return 0
		}
		return whole(n / float64(most))
	}
	remove := e.Remove
	if remove == 0 {
		remove = e.Write
	}
	finds := w.Finds
	if e.FindAll {
		finds = w.Removed
	}
	written := w.Created + w.Updated
	if e.Digest > 0 {
		written = 0
	}
	return per(written, e.Write) + per(w.Removed, remove) + per(w.Lookups, e.Lookup) + per(finds, e.Find) + whole(w.Extra) + whole(w.Messages)
}

func (e known) estimate(v *syncdef.Version, c *syncdef.Connection, w Work, calls float64) Estimate {
	out := Estimate{Calls: round(calls)}
	if account, granted := e.PerDay(c); account > 0 {
		of, ours := round(calls/float64(account)), round(calls/float64(max(1, granted)))
		out.QuotaShare, out.GrantShare = &of, &ours
	}
	out.Dollars = round(cost.Work{
		Rows: w.Rows, Changed: w.Created + w.Updated + w.Removed, Calls: calls,
		Lanes: float64(max(1, v.Definition.Lanes)), Errors: w.Rejected, ErrorKB: 1,
	}.Dollars())
	return out
}

// windows are the vendor's short windows, as far as the connection grants them.
func (e known) windows(c *syncdef.Connection) []pace.Window {
	out := make([]pace.Window, len(e.Limits))
	for i, l := range e.Limits {
		out[i].Calls, out[i].Per = l.Granted(c)
	}
	return out
}

// busy is how many seconds the calls take, as many at once as the sync's lanes make.
func (e known) busy(v *syncdef.Version, calls float64) float64 {
	return calls * cost.CallSeconds / float64(max(1, e.AtOnce)*max(1, v.Definition.Lanes))
}

// round keeps 6 digits, which is more than an estimate knows.
func round(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	if err != nil {
		return x
	}
	return y
}
