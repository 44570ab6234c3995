package salesforce

import (
	"fmt"
	"net/http"
	"strconv"
)

// tooLong answers requests whose URI and headers are over the vendor's cap.
func tooLong(w http.ResponseWriter, r *http.Request) bool {
	size := len(r.RequestURI)
	for name, values := range r.Header {
		for _, v := range values {
			size += len(name) + len(v) + 4
		}
	}
	if size <= maxRequestLine {
		return false
	}
	status := http.StatusRequestHeaderFieldsTooLarge
	if len(r.RequestURI) > maxRequestLine/2 {
		status = http.StatusRequestURITooLong
	}
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<html><head><title>Error %d</title></head><body>Bad Message %d</body></html>", status, status)
	return true
}

// spend counts one API call and sets the header that tells.
func (s *Simulator) spend(w http.ResponseWriter) *apiError {
	s.mu.Lock()
	defer s.mu.Unlock()
	hour := s.core.Now().Unix() / 3600
	used := s.usage.total(hour)
	if used >= s.opts.DailyLimit {
		w.Header().Set("Sforce-Limit-Info", fmt.Sprintf("api-usage=%d/%d", used, s.opts.DailyLimit))
		return &apiError{status: http.StatusForbidden, code: "REQUEST_LIMIT_EXCEEDED", message: "TotalRequests Limit exceeded."}
	}
	s.usage.add(hour)
	b := append(make([]byte, 0, 48), "api-usage="...)
	b = append(strconv.AppendInt(b, used+1, 10), '/')
	w.Header().Set("Sforce-Limit-Info", string(strconv.AppendInt(b, s.opts.DailyLimit, 10)))
	return nil
}

// crowded refuses a request when too many are under way.
func (s *Simulator) crowded() *apiError {
	if limit := s.opts.MaxConcurrent; limit == 0 || s.underWay.Load() <= limit {
		return nil
	}
	return &apiError{status: http.StatusForbidden, code: "REQUEST_LIMIT_EXCEEDED", message: "ConcurrentRequests (Concurrent API Requests) Limit exceeded."}
}

// usage counts calls per hour; the daily limit is over a rolling 24 hours.
type usage struct {
	hours [24]int64
	calls [24]int64
}

func (u *usage) add(hour int64) {
	at := hour % 24
	if u.hours[at] != hour {
		u.hours[at], u.calls[at] = hour, 0
	}
	u.calls[at]++
}

func (u *usage) total(hour int64) int64 {
	var n int64
	for i, h := range u.hours {
		if hour-h < 24 {
			n += u.calls[i]
		}
	}
	return n
}

// maxRequestLine is the vendor's cap on URI and headers together.
const maxRequestLine = 16_384
