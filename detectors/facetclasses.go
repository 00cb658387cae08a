package detectors

import (
	"regexp"
	"slices"
	"strconv"
)

var (
	facetClass = regexp.MustCompile(`class_uid (?:= (\d+)|IN \(([\d, ]+)\))`)
	classUID   = regexp.MustCompile(`\d+`)
)

// FacetClasses says of each kind of event_facets of which classes its values are; none
// is any class. What it tells may not outlive events of these.
func FacetClasses() map[string][]uint16 {
	kinds := make(map[string][]uint16, len(facets))
	for _, f := range facets {
		var classes []uint16
		for _, m := range facetClass.FindAllStringSubmatch(f.where, -1) {
			for _, text := range classUID.FindAllString(m[1]+" "+m[2], -1) {
				n, _ := strconv.ParseUint(text, 10, 16) // digits of a condition of ours
				classes = append(classes, uint16(n))
			}
		}
		slices.Sort(classes)
		kinds[f.kind] = slices.Compact(classes)
	}
	return kinds
}
