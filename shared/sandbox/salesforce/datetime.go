package salesforce

import "time"

const secondsLayout = "2006-01-02T15:04:05"

// appendDateTime reads an ISO 8601 date and time with a zone and appends it as
// Salesforce answers it: UTC, milliseconds, +0000.
func appendDateTime(dst, b []byte) ([]byte, bool) {
	// 2024-01-15T10:30:00 then .fraction? then Z, +hh:mm or +hhmm
	if len(b) < 20 || b[10] != 'T' {
		return dst, false
	}
	rest := b[19:]
	millis := [3]byte{'0', '0', '0'}
	if rest[0] == '.' {
		n := 1
		for ; n < len(rest) && '0' <= rest[n] && rest[n] <= '9'; n++ {
			if n <= 3 {
				millis[n-1] = rest[n]
			}
		}
		if n == 1 {
			return dst, false
		}
		rest = rest[n:]
	}
	if string(rest) == "Z" || string(rest) == "+0000" || string(rest) == "+00:00" {
		if !validDateTime(b[:19]) {
			return dst, false
		}
		dst = append(dst, b[:19]...)
		return append(append(append(dst, '.'), millis[:]...), "+0000"...), true
	}
	return appendZoned(dst, b[:19], millis, rest)
}

// appendZoned converts a local time with an offset to UTC.
func appendZoned(dst, seconds []byte, millis [3]byte, zone []byte) ([]byte, bool) {
	layout := secondsLayout + "-07:00"
	if len(zone) == 5 {
		layout = secondsLayout + "-0700"
	}
	at, err := time.Parse(layout, string(seconds)+string(zone))
	if err != nil {
		return dst, false
	}
	dst = at.UTC().AppendFormat(dst, secondsLayout)
	return append(append(append(dst, '.'), millis[:]...), "+0000"...), true
}

// validDateTime checks 2006-01-02T15:04:05 digit by digit; a zone of zero is the
// common case, and time.Parse costs more than the rest of the record.
func validDateTime(b []byte) bool {
	year, ok1 := digits(b[0:4])
	month, ok2 := digits(b[5:7])
	day, ok3 := digits(b[8:10])
	hour, ok4 := digits(b[11:13])
	minute, ok5 := digits(b[14:16])
	second, ok6 := digits(b[17:19])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) || b[4] != '-' || b[7] != '-' || b[13] != ':' || b[16] != ':' {
		return false
	}
	return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month) && hour < 24 && minute < 60 && second < 60
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

func digits(b []byte) (n int, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
