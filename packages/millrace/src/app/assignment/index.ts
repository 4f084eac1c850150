export type { AssignedTopic, AssignmentPlan, AssignmentSettings } from './options.ts'
export { assignPlans, mixedGroupFaults, planAssignment } from './plan-assignment.ts'
export { assignmentFaults } from './validate.ts'
