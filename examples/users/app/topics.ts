import { defineTopic } from 'millrace'

export interface UserEvent {
  readonly event_name: 'user_created'
  readonly payload: { readonly user: { readonly name: string; readonly email: string } }
}

export const users = defineTopic<UserEvent>('users', { partitions: 1 })
