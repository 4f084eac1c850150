import { users, type UserEvent } from '../topics.ts'
import { ApplicationResponder } from './application-responder.ts'

export class UsersResponder extends ApplicationResponder<{ users: typeof users }> {
  static override readonly topics = { users }

  respond(event: UserEvent): void {
    this.respondTo('users', event)
  }
}
