/** Kafka's rule for topic names, and its trap: `.` and `_` collide in metric names. */
export function topicNameFaults(names: readonly string[], isStrict: boolean): string[] {
  const faults: string[] = []
  const byFolded = new Map<string, string>()
  for (const name of names) {
    if (!/^[A-Za-z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..')
      faults.push(`topics.${name}: a name has 1 to 249 of the characters A-Z a-z 0-9 . _ -`)
    if (!isStrict) continue
    if (name.includes('.') && name.includes('_'))
      faults.push(
        `topics.${name}: use either . or _ in a name, since Kafka takes them as equal in metrics`,
      )
    const folded = name.replaceAll('.', '_')
    const other = byFolded.get(folded)
    if (other !== undefined && other !== name)
      faults.push(`topics.${name}: differs from ${other} only in . and _`)
    byFolded.set(folded, name)
  }
  return faults
}
