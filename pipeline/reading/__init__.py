"""Reading a workspace: published nights, the model's report card and the history, as pandas frames.

Three lines to a frame::

    from pipeline.reading import Workspace

    workspace = Workspace.open("workspaces/demo")
    workspace.night().plan()

Everything here only reads, takes no lock, and goes through the manifests, so that a run under way is never
seen half done. Of a person there is the ``customer_id`` and nothing else that names them.
"""

from pipeline.reading.workspace import Workspace

__all__ = ["Workspace"]
