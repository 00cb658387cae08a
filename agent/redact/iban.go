package redact

// ibanLengths are the lengths of IBANs by country, from the IBAN registry (ISO
// 13616).
const ibanLengths = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22GE22" +
	"GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23" +
	"PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30"

// ibanLength is the length of the IBANs of the country that s begins with, if two
// digits follow; 0 when it has none.
func ibanLength(s string) int {
	if len(s) < 4 || !isLetter(s[0]) || !isLetter(s[1]) || !isDigit(s[2]) || !isDigit(s[3]) {
		return 0
	}
	for i := 0; i < len(ibanLengths); i += 4 {
		if ibanLengths[i] == s[0]&^0x20 && ibanLengths[i+1] == s[1]&^0x20 {
			return int(ibanLengths[i+2]-'0')*10 + int(ibanLengths[i+3]-'0')
		}
	}
	return 0
}

// iban finds the end of the IBAN that begins at s[i], with or without separators;
// 0 when none does.
func iban(s string, i int) (end int) {
	length := ibanLength(s[i:])
	if length == 0 {
		return 0
	}
	var letters [34]byte
	n, separated := 0, true
	for n < length {
		c, size := at(s, i, anyDepth)
		switch {
		case isUpper(c) || isDigit(c):
			letters[n] = c
			n, separated = n+1, false
		case size > 0 && !separated && (c == ' ' || c == '-' || c == '+'):
			separated = true
		default:
			return 0
		}
		i += size
	}
	if c, _ := at(s, i, anyDepth); isAlnum(c) || !isIBAN(string(letters[:n])) {
		return 0
	}
	return i
}

// isIBAN says whether the check digits of s are right: moved to the end, with each
// letter as a number from 10, the whole is 1 modulo 97.
func isIBAN(s string) bool {
	rest := 0
	for i := range len(s) {
		switch c := s[(i+4)%len(s)]; {
		case isDigit(c):
			rest = (rest*10 + int(c-'0')) % 97
		case isLetter(c):
			rest = (rest*100 + int(c|0x20-'a') + 10) % 97
		default:
			return false
		}
	}
	return rest == 1
}
