package formats

// salesforceID is the 18-character form of a Salesforce record id. The 15-character
// form differs between records by letter case alone; the three added characters
// say which letters are capitals, so that the longer one survives software that
// ignores case. Each stands for five letters, the first being the lowest bit.
// What is not a 15-character id is returned as it is; an id of zeros, which stands
// for "none", becomes "".
func salesforceID(id string) string {
	if len(id) != 15 && len(id) != 18 {
		return id
	}
	zeros := true
	for i := range 15 {
		c := id[i]
		zeros = zeros && c == '0'
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return id
		}
	}
	if zeros {
		return ""
	}
	if len(id) == 18 {
		return id
	}
	var long [18]byte
	copy(long[:], id)
	for group := range 3 {
		capitals := 0
		for i := range 5 {
			if c := id[group*5+i]; 'A' <= c && c <= 'Z' {
				capitals |= 1 << i
			}
		}
		long[15+group] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[capitals]
	}
	return string(long[:])
}
