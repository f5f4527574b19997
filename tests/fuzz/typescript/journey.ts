// A room from beginning to end, through the client that openapi-generator makes (typescript-fetch). Type-checked, then
// run as a program of its own: where the description is wrong, it does not compile, or ends with an error.

import {
  AuthApi,
  Configuration,
  HealthApi,
  HealthStatus,
  OverviewApi,
  Priority,
  ResponseError,
  RoomRole,
  RoomsApi,
  TaskSort,
  TasksApi,
  TaskStatus,
  UsersApi,
  type Problem,
  type SignedIn,
} from "./client/index.js";

declare const process: { argv: string[] };

const PASSWORD = "violet kettle drum 17";
const url = process.argv[2];

interface Person {
  tokens: SignedIn;
  rooms: RoomsApi;
  tasks: TasksApi;
  users: UsersApi;
  overview: OverviewApi;
  auth: AuthApi;
}

function as(tokens: SignedIn): Person {
  const configuration = new Configuration({ basePath: url, accessToken: tokens.accessToken });
  return {
    tokens,
    rooms: new RoomsApi(configuration),
    tasks: new TasksApi(configuration),
    users: new UsersApi(configuration),
    overview: new OverviewApi(configuration),
    auth: new AuthApi(configuration),
  };
}

function expect(wanted: unknown, found: unknown, what: string): void {
  const [left, right] = [JSON.stringify(wanted), JSON.stringify(found)];
  if (left !== right) throw new Error(`${what}: ${left} expected, not ${right}`);
}

async function refused(request: Promise<unknown>): Promise<Problem> {
  try {
    await request;
  } catch (error) {
    if (error instanceof ResponseError) return (await error.response.json()) as Problem;
    throw error;
  }
  throw new Error("this should have been refused");
}

const anonymous = new Configuration({ basePath: url });
const auth = new AuthApi(anonymous);
const register = async (): Promise<Person> => {
  const username = `somebody ${crypto.randomUUID().slice(0, 13)}`;
  return as(await auth.register({ registration: { username, password: PASSWORD } }));
};

expect(HealthStatus.OK, (await new HealthApi(anonymous).getHealth()).status, "health");
const [ann, bob] = [await register(), await register()];

const room = await ann.rooms.createRoom({ newRoom: { name: "Office move" }, idempotencyKey: crypto.randomUUID() });
expect(RoomRole.ADMIN, room.role, "the role of who opens a room");
const joined = await bob.rooms.joinRoom({ join: { code: room.code! } });
expect([room.id, 2, RoomRole.MEMBER], [joined.id, joined.memberCount, joined.role], "the room that was joined");
const names = (await bob.rooms.listMembers({ roomId: room.id })).items.map((member) => member.username);
expect([ann.tokens.user.username, bob.tokens.user.username], names, "the members");

const deadline = "2027-01-31";
const task = await ann.tasks.createTask({
  newTask: { title: "Order the desks", roomId: room.id, priority: Priority.HIGH, deadline, userId: bob.tokens.user.id },
});
expect(deadline, task.deadline, "the deadline");
const ifMatch = `"${task.version}"`;
const changed = await bob.tasks.changeTask({ taskId: task.id, ifMatch, taskChange: { status: TaskStatus.COMPLETED } });
expect([task.version + 1, true], [changed.version, changed.completedAt instanceof Date], "the change");
const late = await refused(ann.tasks.changeTask({ taskId: task.id, ifMatch, taskChange: { title: "Late" } }));
expect([412, "version_mismatch"], [late.status, late.code], "a change of an old version");
const cleared = await ann.tasks.changeTask({ taskId: task.id, taskChange: { deadline: null, userId: null } });
expect([null, null], [cleared.deadline, cleared.userId], "what null clears");

await ann.tasks.createTask({ newTask: { title: "Order the chairs", roomId: room.id } });
const titles: string[] = [];
let cursor: string | undefined;
do {
  const page = await ann.tasks.listTasksOfRoom({
    roomId: room.id,
    sort: TaskSort.PRIORITY_DESCENDING,
    status: [TaskStatus.PENDING, TaskStatus.COMPLETED],
    limit: 1,
    cursor,
  });
  titles.push(...page.items.map((each) => each.title));
  cursor = page.nextCursor ?? undefined;
} while (cursor !== undefined);
expect(["Order the desks", "Order the chairs"], titles, "the tasks, page by page");
expect([room.id], (await bob.overview.getOverview()).rooms.map((each) => each.id), "the overview");
const wrong = await refused(ann.tasks.createTask({ newTask: { title: "" } }));
expect(["/title"], wrong.errors?.map((error) => error.pointer), "what is wrong with a task without a title");

await ann.tasks.deleteTask({ taskId: task.id, ifMatch: `"${cleared.version}"` });
expect("not_found", (await refused(ann.tasks.getTask({ taskId: task.id }))).code, "a task that was deleted");
for (const person of [bob, ann]) await person.rooms.removeMember({ roomId: room.id, userId: "me" });
expect([], (await ann.rooms.listRooms()).items, "the rooms of somebody who left them");

const renewed = as(await auth.refresh({ refreshToken: { refreshToken: ann.tokens.refreshToken } }));
expect(1, (await renewed.auth.listSessions()).items.length, "the sessions");
const shown = await new AuthApi(new Configuration({ basePath: url, accessToken: renewed.tokens.accessToken })).reauthenticate({
  reauthentication: { password: PASSWORD },
});
const users = new UsersApi(new Configuration({ basePath: url, accessToken: shown.accessToken }));
expect(ann.tokens.user.id, (await users.getUser({ userId: "me" })).id, "me");
await users.deleteUser({ userId: "me" });
const gone = { login: { username: ann.tokens.user.username, password: PASSWORD } };
expect("invalid_credentials", (await refused(auth.login(gone))).code, "a sign-in of somebody who is deleted");
