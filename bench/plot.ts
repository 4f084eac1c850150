/** One line of a plot. */
export interface Curve {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

const width = 840
const panelHeight = 200
const margin = { left: 64, right: 24, top: 40, gap: 64 }
const colours = ['#2f6f4f', '#b4552d']

/** An SVG of panels below each other, each with its curves over the same minutes, from 0 up. */
export function drawPlot(title: string, panels: readonly (readonly Curve[])[]): string {
  const height = margin.top + panels.length * (panelHeight + margin.gap)
  const xs = panels.flat().flatMap(({ points }) => points.map(([x]) => x))
  const xMax = Math.max(...xs, 1)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${margin.left}" y="22" font-size="15">${title}</text>
${panels.map((curves, at) => panel(curves, margin.top + at * (panelHeight + margin.gap), xMax)).join('\n')}
</svg>
`
}

function panel(curves: readonly Curve[], top: number, xMax: number): string {
  const yMax = niceTop(Math.max(...curves.flatMap(({ points }) => points.map(([, y]) => y)), 1e-9))
  const bottom = top + 20 + panelHeight
  const inner = width - margin.left - margin.right
  const xOf = (x: number): string => (margin.left + (x / xMax) * inner).toFixed(1)
  const yOf = (y: number): string => (bottom - (y / yMax) * panelHeight).toFixed(1)
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const y = yOf(part * yMax)
    return `<path d="M${margin.left} ${y}H${width - margin.right}" stroke="#ddd"/><text x="${margin.left - 8}" y="${Number(y) + 4}" text-anchor="end">${Number((part * yMax).toPrecision(3))}</text>`
  })
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (part) =>
      `<text x="${xOf(part * xMax)}" y="${bottom + 18}" text-anchor="middle">${(part * xMax).toFixed(1)} min</text>`,
  )
  const lines = curves.map(({ name, points }, at) => {
    const colour = colours[at % colours.length]
    const path = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${xOf(x)} ${yOf(y)}`)
    return `<path d="${path.join('')}" fill="none" stroke="${colour}" stroke-width="1.5"/><text x="${margin.left + at * 260}" y="${top + 8}" fill="${colour}">${name}</text>`
  })
  return [...grid, ...ticks, ...lines].join('\n')
}

/** The next 1, 2, 5 or 10 times a power of ten. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= value) ?? 10 * power
}
