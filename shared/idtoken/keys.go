package idtoken

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

// Keys are an issuer's public keys by id.
type Keys map[string]*rsa.PublicKey

const (
	maxKeys = 32   // Google publishes two or three
	minBits = 2048 // RFC 7518, "RS256": a key of 2048 bits or larger
	maxBits = 8192 // beyond which one check takes long
)

// ParseKeys reads a JSON Web Key Set (RFC 7517). Keys of other kinds, uses and sizes are
// passed over; a set without any key for RS256 is an error.
func ParseKeys(jwks []byte) (Keys, error) {
	var set struct {
		Keys []struct {
			KeyID     string `json:"kid"`
			Kind      string `json:"kty"`
			Use       string `json:"use"`
			Algorithm string `json:"alg"`
			Modulus   string `json:"n"`
			Exponent  string `json:"e"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(jwks, &set); err != nil {
		return nil, fmt.Errorf("read the key set: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("read the key set: %d keys, at most %d are taken", len(set.Keys), maxKeys)
	}
	keys := Keys{}
	for _, k := range set.Keys {
		if k.KeyID == "" || k.Kind != "RSA" || k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != "RS256" {
			continue
		}
		if key := publicKey(k.Modulus, k.Exponent); key != nil {
			keys[k.KeyID] = key
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("read the key set: it has no RSA key for signatures")
	}
	return keys, nil
}

// publicKey is the key of a modulus and an exponent in base64url; nil for what is none.
func publicKey(modulus, exponent string) *rsa.PublicKey {
	n, err1 := base64.RawURLEncoding.DecodeString(modulus)
	e, err2 := base64.RawURLEncoding.DecodeString(exponent)
	if err1 != nil || err2 != nil || len(e) == 0 || len(e) > 4 {
		return nil
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	if bits := key.N.BitLen(); bits < minBits || bits > maxBits || key.E < 3 || key.E%2 == 0 || key.E > 1<<31-1 {
		return nil
	}
	return key
}
