package snowflake

import (
	"os"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/wiretest"
)

func FuzzDecode(f *testing.F) {
	request, err := os.ReadFile("testdata/request.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(request)
	for _, seed := range []string{
		`{"data":[]}`, `{"data":[[0,1],[1,"a"]]}`, `{"data":[[0,{"a":1,"a":2}],[1,"\ud800"],[2,null]]}`,
		"{\"data\":[[0,\"\xff\"],[1,{\"a\":\"\xff\",\"b\":-0}]]}", `{"x":1,"data":[[9007199254740993]]}`, `{"data":[[0,"s",{"a":NaN,"b":[-Infinity]}],[1,"s",undefined]]}`, `{"data":[[0,"s","{\"a\":1}"]]}`, `{"data":[[0,"s",{"a":1}],[1,"s",{"b":[{}],"a":2}],[2,"t",{"a":1,"a":2}]]}`,
		`{"data":[[0,"s",` + strings.Repeat("[", 1100) + strings.Repeat("]", 1100) + `],[1,"s",{"a":1}]]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		wiretest.Decoded(t, asSnowflake(), wire.Request{Method: "POST", Header: headers(), Body: body})
	})
}

func FuzzDecodeReply(f *testing.F) {
	f.Add([]byte(`{"data":[[0,{"a":1}],[1,null]]}`))
	f.Add([]byte(`{"data":[[1,1],[0,2]]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		values, err := DecodeReply(body)
		if err != nil {
			return
		}
		for i, v := range values {
			if !v.IsValid() {
				t.Fatalf("value %d: %q", i, v)
			}
		}
	})
}
