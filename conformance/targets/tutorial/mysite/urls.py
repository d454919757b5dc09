urlpatterns = []  # the tutorial's two pages are not what is tested here
