package mapping

import (
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/syncdef"
)

func TestNumber(t *testing.T) {
	long := "1234567890123456789012345.1234567890123456789012345"
	run(t, syncdef.Field{Type: syncdef.Number}, []conv{
		{`12.50`, `12.50`}, {`9007199254740993`, `9007199254740993`}, {`-0`, `-0`}, {`1E+2`, `1E+2`}, {`1e999999`, `1e999999`}, {long, long},
		{`"` + long + `"`, long}, {`" 12.5 "`, `12.5`}, {`"+5"`, `5`}, {`".5"`, `0.5`}, {`"-.50"`, `-0.5`}, {`"5."`, `5`}, {`"007"`, `7`}, {`"00"`, `0`},
		{`"1e3"`, `1e3`}, {`"+1e3"`, `1000`}, {`"+1e-3"`, `0.001`}, {`"1\u0032"`, `12`},
		{`"NaN"`, `not_a_number`}, {`"Infinity"`, `not_a_number`}, {`"-inf"`, `not_a_number`}, {`""`, `null`}, {`" \u00a0\n"`, `null`}, {`"-"`, `not_a_number`}, {`"."`, `not_a_number`},
		{`"1,5"`, `not_a_number`}, {`"1.2.3"`, `not_a_number`}, {`"0x10"`, `not_a_number`}, {`"1_000"`, `not_a_number`}, {`"1e"`, `not_a_number`}, {`"1e+"`, `not_a_number`},
		{`"e5"`, `not_a_number`}, {`"12 %"`, `not_a_number`}, {`"+1e999999999999"`, `not_a_number`}, {`true`, `not_a_number`}, {`{}`, `not_a_number`}, {`[1]`, `not_a_number`}, {`null`, `null`},
	})
	run(t, syncdef.Field{Type: syncdef.Number, Scale: ptr(1)}, []conv{
		{`85.47`, `85.5`}, {`85.44`, `85.4`}, {`85.45`, `85.5`}, {`-85.45`, `-85.5`}, {`85.4`, `85.4`}, {`85`, `85`}, {`85.50`, `85.50`}, {`99.95`, `100`},
		{`0.04`, `0`}, {`-0.04`, `0`}, {`0.05`, `0.1`}, {`-0.05`, `-0.1`}, {`9.96`, `10`}, {`0.95`, `1`}, {`1e2`, `1e2`}, {`1234.56e-1`, `123.5`}, {`1e-999999999999`, `0`}, {`1e999999999999`, `1e999999999999`},
		{`0.049999999999999999999999999`, `0`}, {`"85.47"`, `85.5`}, {`9007199254740993.25`, `9007199254740993.3`},
	})
	run(t, syncdef.Field{Type: syncdef.Number, Scale: ptr(0)}, []conv{{`0.5`, `1`}, {`-0.5`, `-1`}, {`0.49`, `0`}, {`1.5`, `2`}, {`2.5`, `3`}, {`999.5`, `1000`}})
	run(t, syncdef.Field{Type: syncdef.Number, Min: "0", Max: "100"}, []conv{
		{`0`, `0`}, {`-0.0`, `-0.0`}, {`100`, `100`}, {`100.000`, `100.000`}, {`1e2`, `1e2`}, {`100.00000000000000000000001`, `above_max`}, {`-0.00000000000000000000001`, `below_min`},
		{`120`, `above_max`}, {`-1`, `below_min`}, {`99.999`, `99.999`}, {`"101"`, `above_max`}, {`1e999999999999`, `above_max`}, {`-1e999999999999`, `below_min`},
	})
	run(t, syncdef.Field{Type: syncdef.Number, Scale: ptr(1), Max: "100"}, []conv{{`100.04`, `100`}, {`100.05`, `above_max`}})
	run(t, syncdef.Field{Type: syncdef.Number, Min: "9007199254740992.5"}, []conv{{`9007199254740992`, `below_min`}, {`9007199254740993`, `9007199254740993`}})
	run(t, syncdef.Field{Type: syncdef.Number, Min: "-10.5", Max: "-0.5"}, []conv{{`-10.5`, `-10.5`}, {`-10.51`, `below_min`}, {`-0.49`, `above_max`}, {`0`, `above_max`}})
}

func TestInteger(t *testing.T) {
	run(t, syncdef.Field{Type: syncdef.Integer}, []conv{
		{`12`, `12`}, {`12.0`, `12`}, {`-12.000`, `-12`}, {`-7`, `-7`}, {`9007199254740993`, `9007199254740993`}, {`1e3`, `1000`}, {`120e-1`, `12`}, {`-0.0`, `0`}, {`"12"`, `12`}, {`" +012.0"`, `12`},
		{strings.Repeat("9", 60), strings.Repeat("9", 60)},
		{`12.5`, `not_an_integer`}, {`1e-1`, `not_an_integer`}, {`"abc"`, `not_an_integer`}, {`"NaN"`, `not_an_integer`}, {`""`, `null`}, {`" "`, `null`}, {`true`, `not_an_integer`}, {`[]`, `not_an_integer`}, {`1e999999999`, `not_an_integer`}, {`null`, `null`},
	})
	run(t, syncdef.Field{Type: syncdef.Integer, Min: "1", Max: "10"}, []conv{{`1`, `1`}, {`10.0`, `10`}, {`0`, `below_min`}, {`11`, `above_max`}})
}
