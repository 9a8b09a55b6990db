from fastapi import APIRouter, Response

from services.gateway import house
from services.gateway.answers import answer
from services.gateway.keys import Admin, Searching
from services.gateway.schemas.house import BackendsView, CategoriesView, StatsView

router = APIRouter(tags=["house"])


@router.get("/backends", responses={200: {"model": BackendsView}})
def get_backends(caller: Searching, index: str = "live") -> Response:
    """What is configured, healthy, and how far behind."""
    return answer(house.backends(caller, index))


@router.get("/categories", responses={200: {"model": CategoriesView}})
def get_categories(caller: Searching) -> Response:
    """The tree of categories with counts."""
    return answer(CategoriesView(categories=house.categories(caller)))


@router.get("/stats", responses={200: {"model": StatsView}})
def get_stats(caller: Admin) -> Response:
    """Totals."""
    return answer(house.stats(caller))
