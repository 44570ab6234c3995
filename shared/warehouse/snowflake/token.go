package snowflake

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// life is how long a token holds; Snowflake takes an hour at most.
const life = 10 * time.Minute

// token is the JWT of one call: RS256, issued by ACCOUNT.USER.SHA256:fingerprint.
func (c *Client) token() (string, error) {
	print, err := fingerprint(&c.cfg.Key.PublicKey)
	if err != nil {
		return "", err
	}
	subject := strings.ToUpper(strings.ReplaceAll(c.cfg.Account, ".", "-")) + "." + fold(c.cfg.User)
	now := c.cfg.Now()
	signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.RegisteredClaims{
		Issuer: subject + "." + print, Subject: subject,
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(life)),
	}).SignedString(c.cfg.Key)
	if err != nil {
		return "", fmt.Errorf("sign the token for Snowflake: %w", err)
	}
	return signed, nil
}

// fingerprint is a public key's as DESC USER shows it: SHA256: and the hash of its DER.
func fingerprint(key *rsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("the public key: %w", err)
	}
	sum := sha256.Sum256(der)
	return "SHA256:" + base64.StdEncoding.EncodeToString(sum[:]), nil
}

// ParseKey reads a private key in PEM: PKCS#8 or PKCS#1, RSA of 2,048 bits at least,
// without a passphrase. Its errors quote nothing of it.
func ParseKey(text string) (*rsa.PrivateKey, error) {
	text = strings.ReplaceAll(text, `\n`, "\n") // as JSON within JSON has it
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("is no PEM: write the file that  openssl genrsa 2048 | openssl pkcs8 -topk8 -nocrypt  makes, with its BEGIN and END lines")
	}
	if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
		return nil, errors.New("has a passphrase: take it off with  openssl pkcs8 -in key.p8 -out plain.p8 ; the secret itself is encrypted")
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(text))
	switch {
	case errors.Is(err, jwt.ErrNotRSAPrivateKey), err == nil && key.N.BitLen() < 2048:
		return nil, errors.New("is no RSA key of 2,048 bits at least, which Snowflake asks for")
	case err != nil:
		return nil, errors.New("cannot be read as a private key")
	}
	return key, nil
}
