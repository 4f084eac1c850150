import { insertUser } from '../database.ts'
import type { users } from '../topics.ts'
import { ApplicationConsumer } from './application-consumer.ts'

/** Stores each user. While the database refuses one, it comes again and again, and nothing overtakes it. */
export class UsersConsumer extends ApplicationConsumer<typeof users> {
  consume(): void {
    const { name, email } = this.message.value.payload.user
    insertUser(name, email)
  }
}
