package simulate

// Key prefixes of Salesforce record ids: which kind of record an id names.
const (
	prefixOrganization = "00D"
	prefixUser         = "005"
	prefixConnectedApp = "0H4"
	prefixBulkJob      = "750"
	prefixReport       = "00O"
	prefixCase         = "500"
	prefixAccount      = "001"
	prefixContact      = "003"
	prefixOrder        = "801"
	prefixDocument     = "069"
	prefixVersion      = "068"
	prefixPermission   = "0PS"
	prefixLead         = "00Q"
)

// recordID is a 15-character, case-sensitive Salesforce id: the key prefix, the
// instance, and the number in base 62.
func recordID(prefix string, number uint64) string {
	id := []byte(prefix + "7x0000000000")
	for at := len(id) - 1; at >= 6; at-- {
		id[at] = alphanumeric[number%62]
		number /= 62
	}
	return string(id)
}

// anyRecordID draws the id of some record of the kind.
func anyRecordID(d dice, prefix string) string {
	return recordID(prefix, uint64(d.between(1_000_000, 900_000_000)))
}

// longID appends the three letters that make a 15-character id safe where case
// is lost: each tells which of five characters are upper case, lowest bit first.
func longID(id string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	if len(id) != 15 {
		return id
	}
	long := []byte(id)
	for block := 0; block < 15; block += 5 {
		bits := 0
		for i, c := range []byte(id[block : block+5]) {
			if c >= 'A' && c <= 'Z' {
				bits |= 1 << i
			}
		}
		long = append(long, letters[bits])
	}
	return string(long)
}
