package salesforce

import (
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// An apiError is an answer for a whole call: Salesforce's array of one error.
type apiError struct {
	status  int
	code    string
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// write answers the error in the vendor's shape.
func (e *apiError) write(w http.ResponseWriter) {
	b := append([]byte(nil), `[{"message":`...)
	b = appendString(b, e.message)
	b = append(b, `,"errorCode":`...)
	b = appendString(b, e.code)
	b = append(b, "}]"...)
	answer(w, e.status, b)
}

// answer sends a JSON body.
func answer(w http.ResponseWriter, status int, b []byte) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	w.Write(b) //nolint:errcheck // the client may be gone; there is nobody to tell
}

// appendString appends a JSON string.
func appendString[T string | []byte](dst []byte, s T) []byte {
	dst, err := jsontext.AppendQuote(dst, s)
	if err != nil { // only for text that is not UTF-8, which no request can bring in
		panic("salesforce: stored text is not UTF-8: " + err.Error())
	}
	return dst
}

func notFound() *apiError {
	return &apiError{status: http.StatusNotFound, code: "NOT_FOUND", message: "The requested resource does not exist"}
}

// unknown is a failure of the simulator's own: its journal cannot be written.
func unknown(err error) *apiError {
	return &apiError{status: http.StatusInternalServerError, code: "UNKNOWN_EXCEPTION", message: err.Error()}
}

// noRollBack refuses what the simulator cannot do.
func noRollBack() *apiError {
	return &apiError{status: http.StatusBadRequest, code: "NOT_SUPPORTED", message: "the simulator does not roll back: send allOrNone false"}
}

func malformedJSON(detail string) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "JSON_PARSER_ERROR", message: detail}
}

func notAllowed(method, allowed string) *apiError {
	return &apiError{status: http.StatusMethodNotAllowed, code: "METHOD_NOT_ALLOWED", message: "HTTP Method '" + method + "' not allowed. Allowed are " + allowed}
}

func appendInt(dst []byte, n int) []byte { return strconv.AppendInt(dst, int64(n), 10) }
