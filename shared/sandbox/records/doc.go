// Package records is the store that the simulated destinations share: tables of
// texts, compact in memory, with indexes that queries make as they need them, and
// one entry in the Core's journal for each change, so that a killed process loses
// nothing that it answered.
//
//	store, err := records.Open(core, records.Spec{Name: "contacts", Columns: []records.Column{
//		{Name: "email", Compare: records.Folded, Indexed: true},
//	}})
//	contacts := store.Table("contacts")
//	w := store.Writer()
//	row := w.Put(contacts, records.NewRow, now, []records.Change{{Column: 0, Text: []byte("a@b.example")}})
//	err = w.Commit()
//	rows := contacts.Find(nil, 0, []byte("A@B.example")) // [row]
//
// A value is a text; an empty one is null. A row's number is its place in the order
// of creation and never changes; a removed row keeps its number and its values, and
// no query answers it. What a vendor knows of types, ids, sessions and answers is
// the vendor's own.
//
// A Store does not lock: the vendor's mutex orders its calls, reads included,
// because the first query makes an index.
package records
