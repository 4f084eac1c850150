/** One place of a pattern: any run of signs, or one sign out of some. */
type Step = 'any' | ((sign: string) => boolean)

/**
 * Redis's patterns of names: `*`, `?`, `[ab]`, `[a-c]`, `[^a]`, `\x`. Takes at most pattern times name steps, whatever
 * the pattern: it goes back to the last `*` alone.
 */
export function globMatcher(glob: string): (name: string) => boolean {
  const steps = stepsOf(glob)
  return (name) => {
    let at = 0
    let step = 0
    let starAt = -1
    let starStep = -1
    while (at < name.length) {
      const wanted = steps[step]
      if (wanted === 'any') {
        starStep = step++
        starAt = at
      } else if (wanted?.(name[at]!) === true) {
        step++
        at++
      } else if (starStep >= 0) {
        step = starStep + 1
        at = ++starAt
      } else {
        return false
      }
    }
    while (steps[step] === 'any') step++
    return step === steps.length
  }
}

function stepsOf(glob: string): Step[] {
  const steps: Step[] = []
  for (let index = 0; index < glob.length; index++) {
    const sign = glob[index]!
    if (sign === '*') {
      if (steps.at(-1) !== 'any') steps.push('any')
    } else if (sign === '?') {
      steps.push(() => true)
    } else if (sign === '[') {
      const end = glob.indexOf(']', index + 1)
      steps.push(oneOf(glob.slice(index + 1, end < 0 ? undefined : end)))
      index = end < 0 ? glob.length : end
    } else {
      const literal = sign === '\\' && index + 1 < glob.length ? glob[++index]! : sign
      steps.push((other) => other === literal)
    }
  }
  return steps
}

function oneOf(inside: string): (sign: string) => boolean {
  const isNegated = inside.startsWith('^')
  const ranges: [from: string, to: string][] = []
  for (let index = isNegated ? 1 : 0; index < inside.length; index++) {
    const from = inside[index]!
    const isRange = inside[index + 1] === '-' && index + 2 < inside.length
    const to = isRange ? inside[index + 2]! : from
    ranges.push(from <= to ? [from, to] : [to, from])
    if (isRange) index += 2
  }
  return (sign) => ranges.some(([from, to]) => sign >= from && sign <= to) !== isNegated
}
