package salesforce

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
)

// standardKey is the pair of Sandbox's certificate, 2,048 bits. Every process derives the
// same one, because one of them may hold the simulator and another log in to it. Anybody
// can derive it: it guards nothing.
var standardKey = derived(prime("penstock-sandbox p", 198), prime("penstock-sandbox q", 2776))

// prime is the number of 1,024 bits that a name hashes to, and ahead more, which is the
// distance to the next prime. A search for it would delay every start of the program.
func prime(name string, ahead int64) *big.Int {
	var b []byte
	for i := range 4 {
		h := sha256.Sum256(fmt.Append(nil, name, i))
		b = append(b, h[:]...)
	}
	b[0] |= 0xc0 // the product of two has 2,048 bits
	b[len(b)-1] |= 1
	n := new(big.Int).SetBytes(b)
	return n.Add(n, big.NewInt(ahead))
}

// derived is the key of two primes.
func derived(p, q *big.Int) *rsa.PrivateKey {
	one := big.NewInt(1)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key := &rsa.PrivateKey{Primes: []*big.Int{p, q}}
	key.N, key.E = new(big.Int).Mul(p, q), 65537
	key.D = new(big.Int).ModInverse(big.NewInt(int64(key.E)), phi)
	return key
}

// encoded is a key of two primes in PEM (PKCS #1). It is written here and not by
// crypto/x509, which examines the key first, at every start of the program.
func encoded(key *rsa.PrivateKey) string {
	one, p, q := big.NewInt(1), key.Primes[0], key.Primes[1]
	der, err := asn1.Marshal(struct {
		Version             int
		N                   *big.Int
		E                   int
		D, P, Q, Dp, Dq, Iq *big.Int
	}{
		N: key.N, E: key.E, D: key.D, P: p, Q: q,
		Dp: new(big.Int).Mod(key.D, new(big.Int).Sub(p, one)), Dq: new(big.Int).Mod(key.D, new(big.Int).Sub(q, one)),
		Iq: new(big.Int).ModInverse(q, p),
	})
	if err != nil {
		panic("salesforce: the simulator's key: " + err.Error())
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der}))
}
