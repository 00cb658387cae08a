package redact

// nearCloudKey is how far from a cloud key's id its secret is looked for.
const nearCloudKey = 200

// cloudSecret finds the secrets, of 40 characters or more, on either side of a
// cloud key's id, s[from:to].
func (r *Redactor) cloudSecret(s string, from, to int) {
	first, last := max(0, from-nearCloudKey), min(len(s), to+nearCloudKey)
	for i := first; i < last; {
		end, length := i, 0
		for end < len(s) && end < last+nearCloudKey {
			c, n := at(s, end, anyDepth)
			if !isBase64(c) {
				break
			}
			end, length = end+n, length+1
		}
		if length >= 40 && isMixed(s[i:end]) {
			r.found(s, i, end, KindCloudKey)
		}
		_, n := at(s, end, anyDepth)
		i = end + max(n, 1)
	}
}
