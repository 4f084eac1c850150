/** Names a partition in maps and sets: `orders/3`. */
export function placeKey({
  topic,
  partition,
}: {
  readonly topic: string
  readonly partition: number
}): string {
  return `${topic}/${partition}`
}
