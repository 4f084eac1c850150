import type { greetings } from '../topics.ts'
import { ApplicationConsumer } from './application-consumer.ts'

/** Greets everybody. A throw holds this partition alone, and the same message comes again. */
export class GreetingsConsumer extends ApplicationConsumer<typeof greetings> {
  consume(): void {
    console.log(`Hello ${this.message.value.name}!`)
  }
}
