package salesforce

// Ids are the object's prefix, a fixed organisation part, the row's number in
// base 62, and three characters that make the id safe to compare without regard
// to case (Salesforce "Object Reference", ID field type).
const (
	digits62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	orgPart  = "5g0"
	suffix32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
)

// appendID appends a row's 18-character id.
func (t *table) appendID(dst []byte, row int) []byte {
	var id [18]byte
	copy(id[:], t.object.Prefix)
	copy(id[3:], orgPart)
	for i, n := 14, row+1; i >= 6; i-- {
		id[i] = digits62[n%62]
		n /= 62
	}
	checksum(&id)
	return append(dst, id[:]...)
}

// checksum fills the last three characters: a bit per upper-case letter.
func checksum(id *[18]byte) {
	for group := range 3 {
		bits := 0
		for i := range 5 {
			if c := id[group*5+i]; 'A' <= c && c <= 'Z' {
				bits |= 1 << i
			}
		}
		id[15+group] = suffix32[bits]
	}
}

// row finds the record of an id of 15 or 18 characters. valid is false when the
// text is no id of this object; a valid id may still name no record (row >= rows).
func (t *table) row(id []byte) (row int, valid bool) {
	if len(id) != 15 && len(id) != 18 || string(id[:3]) != t.object.Prefix {
		return 0, false
	}
	if !validID(string(id)) {
		return 0, false
	}
	n := 0
	for _, c := range id[6:15] {
		n = n*62 + value62(c)
	}
	if string(id[3:6]) != orgPart || n == 0 {
		return 1 << 40, true
	}
	return n - 1, true
}

// validID reports whether a text has the form of an id: 15 characters, or 18 whose
// last three fit the others.
func validID(id string) bool {
	if len(id) != 15 && len(id) != 18 {
		return false
	}
	for i := range len(id) {
		if value62(id[i]) < 0 {
			return false
		}
	}
	var full [18]byte
	copy(full[:], id)
	checksum(&full)
	return len(id) == 15 || string(full[:]) == id
}

// appendID18 appends the 18-character form of a valid id.
func appendID18(dst []byte, id string) []byte {
	var full [18]byte
	copy(full[:], id)
	checksum(&full)
	return append(dst, full[:]...)
}

// value62 is a digit's value, -1 for what is none.
func value62(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'Z':
		return int(c-'A') + 10
	case 'a' <= c && c <= 'z':
		return int(c-'a') + 36
	}
	return -1
}
