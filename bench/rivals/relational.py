"""Three requests of TaskSync as one writes them with FastAPI, SQLAlchemy and PostgreSQL.

The same tasks, answers and rights: the token is verified, the membership is asked for, then what is wanted is done.
Served by uvicorn from an environment of its own (bench/requirements.txt). ``python -m bench.rivals.relational FILE``
makes the tables and fills them with what is in FILE: ``rooms``, as lists of their members by id, and ``tasks``.
"""

import functools
import json
import os
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ForeignKey, Index, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

app = FastAPI()
engine = create_engine(os.environ["DATABASE_URL"])
bearer = HTTPBearer()


class Base(DeclarativeBase):
    pass


class Membership(Base):
    __tablename__ = "memberships"

    room_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)


class Assignment(Base):
    __tablename__ = "assignments"

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True, index=True)
    position: Mapped[int]


class Task(Base):
    __tablename__ = "tasks"
    __table_args__ = (Index("tasks_of_room", "room_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    room_id: Mapped[str]
    title: Mapped[str]
    description: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="pending")
    priority: Mapped[str] = mapped_column(default="medium")
    deadline: Mapped[str | None]
    created_by: Mapped[str]
    created_at: Mapped[str]
    updated_by: Mapped[str]
    updated_at: Mapped[str]
    completed_at: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)
    assignments: Mapped[list[Assignment]] = relationship(lazy="selectin", order_by=Assignment.position)

    @property
    def assignee_ids(self) -> list[str]:
        return [each.user_id for each in self.assignments]

    @property
    def user_id(self) -> str | None:
        return self.assignments[0].user_id if self.assignments else None


class NewTask(BaseModel):
    room_id: str
    title: str = Field(min_length=1, max_length=255)
    description: str | None = Field(default=None, max_length=10_000)
    priority: str = "medium"
    deadline: datetime | None = None


class TaskResponse(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    room_id: str
    user_id: str | None
    assignee_ids: list[str]
    title: str
    description: str | None
    status: str
    priority: str
    deadline: str | None
    created_by: str
    created_at: str
    updated_by: str
    updated_at: str
    completed_at: str | None
    version: int


class PageOfTasks(BaseModel):
    items: list[TaskResponse]
    next_cursor: str | None


@functools.cache
def public_key() -> Any:
    return jwt.PyJWK(json.loads(os.environ["TOKEN_KEY"]))


def caller(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
    try:
        claims = jwt.decode(credentials.credentials, public_key(), algorithms=["ES256"], audience="tasksync-api")
    except jwt.InvalidTokenError:
        raise HTTPException(401, "invalid token") from None
    return str(claims["sub"])


def database() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


Caller = Annotated[str, Depends(caller)]
Database = Annotated[Session, Depends(database)]


def check_membership(session: Session, room_id: str, user_id: str) -> None:
    if session.get(Membership, (room_id, user_id)) is None:
        raise HTTPException(404, "no such room")


@app.get("/tasks/{task_id}", response_model=TaskResponse)
def get_task(task_id: str, user_id: Caller, session: Database) -> Task:
    mine = select(Membership.room_id).where(Membership.user_id == user_id)
    task: Task | None = session.scalar(select(Task).where(Task.id == task_id, Task.room_id.in_(mine)))
    if task is None:
        raise HTTPException(404, "no such task")
    return task


@app.get("/rooms/{room_id}/tasks", response_model=PageOfTasks)
def list_tasks(
    room_id: str,
    user_id: Caller,
    session: Database,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    check_membership(session, room_id, user_id)
    wanted = select(Task).where(Task.room_id == room_id).order_by(Task.created_at, Task.id).limit(limit + 1)
    if cursor is not None:
        wanted = wanted.where(Task.created_at > cursor)
    tasks = session.scalars(wanted).all()
    more = len(tasks) > limit
    return {"items": tasks[:limit], "next_cursor": tasks[limit - 1].created_at if more else None}


@app.post("/tasks", status_code=201, response_model=TaskResponse)
def create_task(new: NewTask, user_id: Caller, session: Database) -> Task:
    check_membership(session, new.room_id, user_id)
    now = datetime.now(UTC).isoformat()
    task = Task(
        **new.model_dump(exclude={"deadline"}),
        id=f"{new.room_id}.{uuid.uuid4().hex}",
        assignments=[Assignment(user_id=user_id, position=0)],
        deadline=new.deadline.isoformat() if new.deadline else None,
        created_by=user_id,
        created_at=now,
        updated_by=user_id,
        updated_at=now,
    )
    session.add(task)
    session.commit()
    return task


def _filled(task: dict[str, Any]) -> Task:
    fields = {name: value for name, value in task.items() if name not in ("user_id", "assignee_ids")}
    assignments = [Assignment(user_id=each, position=i) for i, each in enumerate(task["assignee_ids"])]
    return Task(**fields, assignments=assignments)


def fill(content: dict[str, Any]) -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        for room_id, members in content["rooms"].items():
            session.add_all(Membership(room_id=room_id, user_id=user_id) for user_id in members)
        session.add_all(map(_filled, content["tasks"]))
        session.commit()


if __name__ == "__main__":
    fill(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
