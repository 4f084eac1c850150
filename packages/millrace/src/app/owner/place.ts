/** Whose partition it is, in every event. */
export interface Place {
  readonly group: string
  readonly groupId: string
  readonly consumer: string
  readonly topic: string
  readonly partition: number
}
