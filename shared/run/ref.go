package run

import "strconv"

// ErrorRef names a stored error: run#batch#row, so that storing it twice
// overwrites it (I2).
func ErrorRef(run, batch string, row int) string {
	return run + "#" + batch + "#" + strconv.Itoa(row)
}
