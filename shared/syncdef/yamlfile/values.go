package yamlfile

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// number reads a whole number within the table's bounds, or gives the default.
func (o *object) number(key string) int {
	if v := o.whole(key); v != nil {
		return *v
	}
	v, err := strconv.Atoi(o.key(key).Default)
	if err != nil {
		return 0 // it has none
	}
	return v
}

// whole reads a whole number within the table's bounds, nil when it is absent or
// faulty.
func (o *object) whole(key string) *int {
	n := o.get(key)
	if n == nil {
		return nil
	}
	path, allowed := join(o.path, key), bounds(o.key(key))
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" {
		o.fault(n, path, "%s must be a whole number, not %s; allowed: %s", key, kind(n), allowed)
		return nil
	}
	v, err := strconv.Atoi(n.Value)
	if k := o.key(key); err != nil || v < k.Min || (k.Max != 0 && v > k.Max) {
		o.fault(n, path, "%s: %s is out of range; allowed: %s", key, n.Value, allowed)
		return nil
	}
	return &v
}

func bounds(k syncdef.Key) string {
	if k.Max == 0 {
		return "at least " + strconv.Itoa(k.Min)
	}
	return strconv.Itoa(k.Min) + " to " + strconv.Itoa(k.Max)
}

// boolean reads true or false, nil when it is absent or faulty.
func (o *object) boolean(key string) *bool {
	n := o.get(key)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		o.fault(n, join(o.path, key), "%s must be true or false, not %s", key, kind(n))
		return nil
	}
	v := strings.EqualFold(n.Value, "true")
	return &v
}

// choice reads one of the table's words, or gives its default.
func choice[T ~string](o *object, key string) T {
	k := o.key(key)
	return choiceOf[T](o, key, k.Allowed, T(k.Default))
}

// choiceOf reads one of a list of words, or gives a default.
func choiceOf[T ~string](o *object, key string, allowed []string, standard T) T {
	n := o.get(key)
	if n == nil {
		return standard
	}
	s, ok := o.scalar(n, join(o.path, key), key)
	if !ok {
		return standard
	}
	if !slices.Contains(allowed, s) {
		o.fault(n, join(o.path, key), "%s: %q is not known; %s", key, shorten(s), possible(s, allowed))
		return standard
	}
	return T(s)
}

// possible tells which words are allowed, and first the one that was meant.
func possible(word string, allowed []string) string {
	if meant := syncdef.Meant(word, allowed); meant != "" {
		return "did you mean " + meant + "? Allowed: " + strings.Join(allowed, ", ")
	}
	return "allowed: " + strings.Join(allowed, ", ")
}

// words makes a list of words plain text.
func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

// listed prints allowed values for a message.
func listed[T ~string](list []T) string { return strings.Join(words(list), ", ") }
