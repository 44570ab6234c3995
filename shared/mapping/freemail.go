package mapping

import "bytes"

// The lists below are put together from the address endings that the providers
// themselves offer to private persons when they sign up, and the mailbox domains
// of large access providers. They are not complete: a domain that is missing
// matches no account, or one that happens to have it as its Website; a company's
// domain that stood here wrongly could never be matched, so the doubtful are out.

// freeMailBrands offer mailboxes under many top-level domains: yahoo.co.uk, gmx.at.
var freeMailBrands = set("yahoo", "ymail", "hotmail", "live", "outlook", "windowslive", "gmx", "aol", "yandex")

// freeMailDomains are single domains, by provider or region.
var freeMailDomains = set(
	// Google, Apple, Microsoft, Yahoo and AOL beyond the brands above
	"gmail.com", "googlemail.com", "icloud.com", "me.com", "mac.com", "privaterelay.appleid.com",
	"msn.com", "passport.com", "rocketmail.com", "myyahoo.com", "aim.com", "netscape.net",
	// privacy and general providers
	"proton.me", "protonmail.com", "protonmail.ch", "pm.me", "tutanota.com", "tutanota.de", "tutamail.com",
	"tuta.io", "tuta.com", "keemail.me", "fastmail.com", "fastmail.fm", "hushmail.com", "hey.com", "duck.com",
	"mailbox.org", "posteo.de", "posteo.net", "riseup.net", "zohomail.com", "zohomail.eu",
	"mail.com", "email.com", "usa.com", "post.com", "inbox.com", "lycos.com", "rediffmail.com",
	// Germany, Austria, Switzerland
	"web.de", "t-online.de", "freenet.de", "arcor.de", "email.de", "bluewin.ch", "hispeed.ch", "chello.at", "aon.at",
	// France, Italy, Spain, Portugal, Benelux
	"orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "sfr.fr", "neuf.fr", "bbox.fr", "libero.it", "virgilio.it",
	"tin.it", "alice.it", "tiscali.it", "inwind.it", "iol.it", "telefonica.net", "sapo.pt", "ziggo.nl", "kpnmail.nl",
	"planet.nl", "hetnet.nl", "home.nl", "skynet.be", "telenet.be",
	// Britain, Ireland, the Nordic countries
	"btinternet.com", "virginmedia.com", "ntlworld.com", "blueyonder.co.uk", "talktalk.net", "eircom.net",
	"telia.com", "online.no", "luukku.com",
	// central and eastern Europe
	"wp.pl", "o2.pl", "onet.pl", "op.pl", "interia.pl", "seznam.cz", "email.cz", "centrum.cz", "azet.sk",
	"freemail.hu", "citromail.hu", "abv.bg", "ukr.net", "i.ua",
	"mail.ru", "bk.ru", "inbox.ru", "list.ru", "internet.ru", "rambler.ru", "ya.ru", "tut.by",
	// China, Korea, Japan
	"qq.com", "foxmail.com", "163.com", "126.com", "yeah.net", "sina.com", "sina.cn", "sohu.com", "139.com",
	"189.cn", "naver.com", "daum.net", "hanmail.net", "nate.com", "docomo.ne.jp", "ezweb.ne.jp", "softbank.ne.jp",
	// the Americas, Australia
	"comcast.net", "verizon.net", "att.net", "sbcglobal.net", "bellsouth.net", "cox.net", "charter.net",
	"earthlink.net", "juno.com", "netzero.net", "optonline.net", "roadrunner.com", "shaw.ca", "sympatico.ca",
	"videotron.ca", "uol.com.br", "bol.com.br", "terra.com.br", "ig.com.br", "prodigy.net.mx",
	"bigpond.com", "optusnet.com.au", "xtra.co.nz",
)

// FreeMail reports whether a domain, as address.Domain gives it, is one under which
// anybody gets a mailbox, so that it says nothing about a company.
func FreeMail(domain string) bool { return freeMail([]byte(domain)) }

func freeMail(domain []byte) bool {
	if freeMailDomains.has(domain) {
		return true
	}
	brand, suffix, ok := bytes.Cut(domain, []byte("."))
	return ok && freeMailBrands.has(brand) && registry(suffix)
}

// registry reports whether s is an ending under which companies register: com,
// net, a country, or com, co and ne below a country. live.acme.com is none.
func registry(s []byte) bool {
	first, country, two := bytes.Cut(s, []byte("."))
	switch string(first) {
	case "com", "net", "co", "ne":
		return !two || len(country) == 2
	}
	return !two && len(first) == 2
}

// A names is a set of names that most others leave at their first byte and length,
// without being hashed.
type names struct {
	all   map[string]bool
	sizes [256]uint32 // by first byte: a bit for each length
}

func set(all ...string) *names {
	s := &names{all: make(map[string]bool, len(all))}
	for _, n := range all {
		s.all[n] = true
		s.sizes[n[0]] |= 1 << (len(n) % 32)
	}
	return s
}

func (s *names) has(name []byte) bool {
	return len(name) > 0 && s.sizes[name[0]]>>(len(name)%32)&1 == 1 && s.all[string(name)]
}
