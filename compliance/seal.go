package compliance

import "fmt"

// Seal ties the written form of a summary to the evidence chain. It is not part of the
// summary, whose entry in the chain comes only afterwards.
type Seal struct {
	// PublicKey is that of the chain's signatures.
	PublicKey string
	// Entry and Head are the chain's last entry before this summary, and its hash.
	Entry uint64
	Head  string
}

func (s Seal) say() string {
	if s.Entry == 0 {
		return "this summary begins the chain"
	}
	return fmt.Sprintf("entry %d, %s", s.Entry, s.Head)
}

// seal shows the last of seals.
func (v *view) seal(seals []Seal) {
	for _, s := range seals {
		v.Seal = []pair{{"Evidence chain before this summary", s.say()}, {"Public key of the chain (Ed25519)", s.PublicKey}}
	}
}
