package main

import (
	"fmt"
	"strings"
)

// svg draws the rates as bars, each raw loop above what is compared with it.
func (b *bench) svg() string {
	const left, width, bar, gap = 230, 420, 22, 10
	most := 0.0
	for _, r := range b.results {
		most = max(most, r.rate)
	}
	var s strings.Builder
	height := len(b.results)*(bar+gap) + gap
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="13">`+"\n", left+width+150, height)
	for i, r := range b.results {
		y := gap + i*(bar+gap)
		colour, label := "#9aa5b1", fmt.Sprintf("%.0f rows/s", r.rate)
		if share, ok := b.share(r); ok {
			colour, label = "#2f6fab", fmt.Sprintf("%.0f rows/s, %.2f of raw", r.rate, share)
		}
		fmt.Fprintf(&s, `<text x="%d" y="%d" text-anchor="end">%s</text>`, left-8, y+16, r.name)
		fmt.Fprintf(&s, `<rect x="%d" y="%d" width="%.0f" height="%d" fill="%s"/>`, left, y, r.rate/most*width, bar, colour)
		fmt.Fprintf(&s, `<text x="%.0f" y="%d">%s</text>`+"\n", left+r.rate/most*width+6, y+16, label)
	}
	s.WriteString("</svg>\n")
	return s.String()
}
