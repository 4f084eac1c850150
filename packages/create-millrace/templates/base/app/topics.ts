import { defineTopic, json } from 'millrace'

export interface Greeting {
  readonly name: string
}

/** Somebody is to be greeted. */
export const greetings = defineTopic('greetings', { value: json<Greeting>(), partitions: 3 })
